#include "graph/neuron_constants.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>

#include "base/checked.h"
#include "graph/multipliers.h"

namespace snncore::graph {
namespace {

constexpr int64_t kTwo31 = int64_t{1} << 31;
// Of Q-SNN's membranes: -4 and 1 thresholds.
constexpr int64_t kLowestBin = -4096, kHighestBin = 1024;

// What the words of a spec may be.
struct Words {
  const char* name;
  std::string NeuronSpec::*word;
  std::vector<std::string> known;
};
const std::array<Words, 5>& words() {
  static const std::array<Words, 5> all{
      {{"reset", &NeuronSpec::reset, {"zero", "subtract"}},
       {"profile", &NeuronSpec::profile, {"U", "W", "X", "T"}},
       {"state", &NeuronSpec::state, {"i2", "i4", "i8", "i16", "i32"}},
       {"leak", &NeuronSpec::leak, {"none", "q15", "half_floor", "shift", "tz12"}},
       {"quantiser", &NeuronSpec::quantiser, {"linear", "tanh"}}}};
  return all;
}

std::string one_of(const std::vector<std::string>& words) {
  std::string text = words[0];
  for (size_t i = 1; i < words.size(); ++i) text += (i + 1 < words.size() ? ", " : " or ") + words[i];
  return text;
}

class Constants {
 public:
  Constants(const std::string& layer, const std::vector<CurrentTerm>& terms, const NeuronSpec& spec,
            int64_t steps)
      : layer_(layer), terms_(terms), spec_(spec), steps_(steps) {
    for (const CurrentTerm& term : terms_) {
      if (term.is_sum) sums_.push_back(&term);
    }
    channels_ = sums_.empty() ? 0 : sums_[0]->a.size();
    rows_ = steps_of(sums_);
  }

  NeuronConstants compute() {
    check();
    set_leak();
    out_.state = spec_.state;
    for (const CurrentTerm& term : terms_) out_.factors.emplace_back((term.is_sum ? rows_ : 1) * channels_);
    out_.c.assign(rows_ * channels_, 0);
    out_.n.assign(channels_, 0);
    if (spec_.profile == "X") {
      exact_thresholds();
    } else if (spec_.profile == "T") {
      exact_states();
    } else if (spec_.profile != "U" || !unit_per_channel()) {
      common_unit();
    }
    return out_;
  }

 private:
  void check() const {
    expect(!sums_.empty(), "a neuron needs a conv2d or linear before it");
    expect(std::isfinite(spec_.threshold) && spec_.threshold > 0,
           "threshold must be positive and finite, received " + std::to_string(spec_.threshold));
    expect(spec_.decay >= 0 && spec_.decay <= 1,
           "decay must be 0..1, received " + std::to_string(spec_.decay));
    expect(std::isfinite(spec_.input_gain) && spec_.input_gain >= 0,
           "input_gain must be finite and at least 0, received " + std::to_string(spec_.input_gain));
    check_words(layer_, spec_);
    check_quantiser();
    expect(!coded() || spec_.profile != "X", "profile X needs state i16 or i32, received " + spec_.state);
    expect(!reads_stream() || (spec_.profile != "X" && spec_.profile != "T"),
           "profile " + spec_.profile + " takes sums, received a stream: take profile W");
    expect(!has_gains() || (spec_.profile != "X" && spec_.profile != "T"),
           "profile " + spec_.profile + " has no factors for each step: take profile W");
    expect(spec_.state == "i2" || spec_.profile != "T", "profile T needs state i2, received " + spec_.state);
    for (const CurrentTerm* sum : sums_) {
      for (size_t c = 0; c < channels_; ++c) {
        expect(std::isfinite(sum->a[c]) && std::isfinite(sum->d[c]),
               "channel " + std::to_string(c) + " has a scale or bias that is not finite");
      }
    }
  }

  void expect(bool ok, const std::string& message) const {
    require(ok, ErrorCode::kInvalidArgument, layer_ + ": " + message);
  }

  void set_leak() {
    out_.leak = spec_.decay == 1.0 ? "none" : spec_.leak;
    const double decay = spec_.decay;
    if (out_.leak == "none") {
      expect(decay == 1.0, "leak 'none' means decay 1, received " + std::to_string(decay));
    } else if (out_.leak == "q15") {
      out_.leak_param = std::min<int64_t>(static_cast<int64_t>(round_half_up(decay * 32768)), 32767);
    } else if (out_.leak == "half_floor") {
      expect(decay == 0.5, "leak 'half_floor' means decay 1/2, received " + std::to_string(decay));
    } else if (out_.leak == "shift") {
      for (int k = 1; k <= 15; ++k) {
        if (decay == 1.0 - std::ldexp(1.0, -k)) out_.leak_param = k;
      }
      expect(out_.leak_param != 0, "leak 'shift' means decay 1 - 2^-k, received " + std::to_string(decay));
    } else {
      out_.leak_param = static_cast<int64_t>(round_half_up(decay * 4096));
    }
  }

  void check_quantiser() const {
    expect(spec_.alpha > 0 && spec_.alpha <= 1, "alpha must be above 0 and at most 1");
    expect(!tanh() || (coded() && spec_.reset == "zero" && !spec_.leak_at_store && spec_.theta0 == 0),
           "quantiser 'tanh' needs state i2, i4 or i8, reset 'zero', and neither leak_at_store nor theta0");
    expect(spec_.alpha == 1 || tanh() || spec_.profile == "T",
           "alpha belongs to quantiser 'tanh' and profile T");
  }

  // Membranes kept as codes (docs/format.md, `lif`).
  [[nodiscard]] bool tanh() const { return spec_.quantiser == "tanh"; }
  [[nodiscard]] bool coded() const {
    return spec_.state == "i2" || spec_.state == "i4" || (spec_.state == "i8" && tanh());
  }
  [[nodiscard]] int64_t most_code() const { return spec_.state == "i2" ? 1 : spec_.state == "i4" ? 7 : 127; }
  // What code c stands for, and the real membrane from which on it is kept.
  [[nodiscard]] double level(int64_t c) const {
    const double full = tanh() ? spec_.alpha : spec_.alpha * spec_.threshold;
    return full * static_cast<double>(c) / static_cast<double>(most_code());
  }
  [[nodiscard]] double code_begins(int64_t c) const {
    const double half = level(2 * c - 1) / 2;
    return !tanh() ? half : half >= 1 ? HUGE_VAL : half <= -1 ? -HUGE_VAL : std::atanh(half);
  }

  [[nodiscard]] double a(const CurrentTerm& sum, size_t c) const { return sum.a[c] * spec_.input_gain; }
  [[nodiscard]] double d(size_t c, size_t t = 0) const { return offset_at(sums_, t, c) * spec_.input_gain; }

  [[nodiscard]] bool has_gains() const {
    return std::ranges::any_of(sums_, [](const CurrentTerm* sum) { return !sum->gain.empty(); });
  }

  [[nodiscard]] bool reads_stream() const {
    return std::ranges::any_of(sums_, [](const CurrentTerm* sum) { return sum->is_stream; });
  }

  // Profile W.
  void common_unit() {
    out_.profile = "W";
    const int64_t theta0 = spec_.theta0 != 0 ? spec_.theta0 : spec_.state == "i8" && !tanh() ? 64 : 4096;
    const int64_t most = spec_.state == "i32" ? int64_t{1} << 24 : 32766;
    expect(theta0 >= 1 && theta0 <= most,
           "theta0 must be 1.." + std::to_string(most) + ", received " + std::to_string(theta0));
    if (coded()) tanh() ? tanh_codes() : default_load(theta0);
    // A small unit and a long memory leave states that never decay.
    const bool sticky = spec_.state == "i8" && !tanh() && out_.leak != "tz12" && out_.leak != "none" &&
                        0.5 / (1 - spec_.decay) > static_cast<double>(theta0) / 50;
    expect(!sticky, "an i8 state cannot hold decay " + std::to_string(spec_.decay) +
                        ": take state 'i16' or leak 'tz12'");
    unit_ = spec_.threshold / static_cast<double>(theta0);
    out_.unit_bits =
        (theta0 & (theta0 - 1)) == 0 ? static_cast<int64_t>(std::log2(static_cast<double>(theta0))) : -1;
    for (const bool wide : {false, true}) {
      if (reads_stream() && !wide) continue;
      out_.wide = wide;
      bool fine = true;
      for (size_t c = 0; c < channels_ && (fine || wide); ++c) fine = multipliers(c, wide) && fine;
      if (fine) break;
      expect(!wide, "the current does not fit the membrane unit: the weights are too large for threshold " +
                        std::to_string(spec_.threshold));
    }
    for (size_t j = 0; j < terms_.size(); ++j) {
      if (!terms_[j].is_sum) fill(out_.factors[j], round_half_up(terms_[j].unit * spec_.input_gain / unit_));
    }
    out_.theta.assign(channels_, static_cast<int32_t>(theta0 + (spec_.strict ? 1 : 0)));
    if (spec_.reset == "subtract") out_.psi.assign(channels_, static_cast<int32_t>(theta0));
  }

  // Codes in equal steps from -threshold to threshold.
  void default_load(int64_t theta0) {
    expect((theta0 & (theta0 - 1)) == 0 && theta0 <= 4096,
           "state " + spec_.state + " needs a theta0 that is a power of two, 1..4096, received " +
               std::to_string(theta0));
    const int64_t most = most_code();
    for (int64_t code = -most; code <= most; ++code) {
      const double exact = static_cast<double>(theta0 * code) / static_cast<double>(most);
      out_.load.push_back(static_cast<int32_t>(round_half_up(exact)));
    }
  }

  // Q-SNN's membranes, Q(r) = alpha / n * round(n * clamp(tanh(r) / alpha, -1, 1)), in units of threshold /
  // 4096: a code comes back leaked, and is kept by bins of four units, each by its middle, up to the
  // threshold.
  void tanh_codes() {
    const int64_t most = most_code();
    const double unit = spec_.threshold / 4096;
    out_.leak = "none";
    out_.leak_param = 0;
    for (int64_t code = -most; code <= most; ++code) {
      const double v = round_half_up(spec_.decay * level(code) / unit);
      expect(std::fabs(v) <= 32767, "a membrane does not fit 16 bits: the threshold is too small");
      out_.load.push_back(static_cast<int32_t>(v));
    }
    int64_t bin = kLowestBin;
    for (int64_t code = -most + 1; code <= most; ++code) {
      while (bin <= kHighestBin && (4 * static_cast<double>(bin) + 1.5) * unit < code_begins(code)) ++bin;
      const int64_t edge = bin == kLowestBin ? INT16_MIN : bin > kHighestBin ? INT16_MAX : 4 * bin;
      out_.edges.push_back(static_cast<int32_t>(edge));
    }
  }

  // Profile T: with three codes everything is a threshold on the integer sum, exact in real numbers.
  void exact_states() {
    expect(sums_.size() == 1 && terms_.size() == 1, "profile T takes one conv2d or linear and no shortcut");
    expect(spec_.reset == "zero" && !spec_.leak_at_store,
           "profile T means reset 'zero' and no leak_at_store");
    const CurrentTerm& sum = *sums_[0];
    out_.theta.resize(3 * channels_);
    out_.gamma.resize(6 * channels_);
    for (size_t c = 0; c < channels_; ++c) {
      const double gain = a(sum, c);
      expect(gain > 0, "profile T needs a positive scale, channel " + std::to_string(c) + " has 0");
      const auto end = static_cast<double>(sum.a_max[c]) + 1;  // beyond it always and never are the same
      const auto sum_for = [&](double r, size_t state) {
        return (r - d(c) - spec_.decay * level(static_cast<int64_t>(state) - 1)) / gain;
      };
      for (size_t state = 0; state < 3; ++state) {
        const double x = sum_for(spec_.threshold, state),
                     theta = spec_.strict ? std::floor(x) + 1 : std::ceil(x);
        out_.theta[state * channels_ + c] = static_cast<int32_t>(std::clamp(theta, -end, end));
        for (size_t code = 0; code < 2; ++code) {
          const double begins = std::ceil(sum_for(code_begins(static_cast<int64_t>(code)), state));
          out_.gamma[(2 * state + code) * channels_ + c] =
              static_cast<int32_t>(std::clamp(begins, -end, end));
        }
      }
      out_.factors[0][c] = 1;
    }
    out_.profile = "T";
    out_.leak = "none";
    out_.leak_param = 0;
    out_.unit_bits = -1;
  }

  // False: nothing fits, or (not wide) only a coarse multiplier does.
  bool multipliers(size_t c, bool wide) {
    const auto fit = fit_multiplier(sums_, c, spec_.input_gain, unit_, wide);
    if (!fit) return false;
    out_.n[c] = fit->shift;
    for (size_t t = 0; t < rows_; ++t) {
      const size_t at = t * channels_ + c;
      out_.c[at] = static_cast<int32_t>(round_half_up(fit->scale * d(c, t)));
      for (size_t j = 0; j < terms_.size(); ++j) {
        if (!terms_[j].is_sum) continue;
        const double factor = terms_[j].a[c] * terms_[j].gain_at(t, c) * spec_.input_gain;
        out_.factors[j][at] = static_cast<int32_t>(round_half_up(fit->scale * factor));
      }
    }
    return true;
  }

  void fill(std::vector<int32_t>& to, double value) const {
    expect(std::fabs(value) <= kMaxInt32, "a residual spike does not fit the membrane unit");
    std::fill(to.begin(), to.end(), static_cast<int32_t>(value));
  }

  // Profile U. False: it does not fit, and profile W is to be taken.
  bool unit_per_channel() {
    if (sums_.size() != 1 || coded() || reads_stream() || has_gains()) return false;
    const CurrentTerm& sum = *sums_[0];
    const int64_t f = spec_.unit_bits >= 0 ? spec_.unit_bits : 3;
    expect(f <= 15, "unit_bits must be 0..15 in profile U, received " + std::to_string(f));
    const double limit = spec_.state == "i8" ? 127.0 : spec_.state == "i16" ? 32767.0 : kMaxInt32;
    const double one = std::ldexp(1.0, static_cast<int>(f));
    NeuronConstants u = out_;
    for (size_t c = 0; c < channels_; ++c) {
      const double gain = a(sum, c);
      if (gain <= 0) return false;
      const double theta = one * spec_.threshold / gain, offset = round_half_up(one * d(c) / gain);
      const double first = spec_.strict ? std::floor(theta) + 1 : std::ceil(theta);
      double bound = std::fabs(offset) + one * static_cast<double>(sum.a_max[c]);
      for (size_t j = 0; j < terms_.size(); ++j) {
        const double factor =
            terms_[j].is_sum ? one : round_half_up(one * terms_[j].unit * spec_.input_gain / gain);
        if (!terms_[j].is_sum) bound += std::fabs(factor) * static_cast<double>(terms_[j].most);
        if (std::fabs(factor) > limit) return false;
        u.factors[j][c] = static_cast<int32_t>(factor);
      }
      if (first > limit || bound > limit) return false;
      u.c[c] = static_cast<int32_t>(offset);
      u.theta.push_back(static_cast<int32_t>(first));
      if (spec_.reset == "subtract") u.psi.push_back(static_cast<int32_t>(round_half_up(theta)));
    }
    out_ = std::move(u);
    out_.profile = "U";
    out_.unit_bits = f;
    return true;
  }

  // Profile X: V keeps the spike integral alone, one threshold for each number of steps since the reset.
  void exact_thresholds() {
    expect(sums_.size() == 1 && terms_.size() == 1,
           "profile X takes one conv2d or linear and no shortcut: take profile U with state i32");
    expect(spec_.decay == 0.5 && spec_.reset == "zero" && !spec_.leak_at_store,
           "profile X means decay 1/2, reset 'zero' and no leak_at_store");
    const CurrentTerm& sum = *sums_[0];
    const int64_t f = spec_.unit_bits >= 0 ? spec_.unit_bits : steps_ - 1;
    expect(f >= steps_ - 1 && f <= 15,
           "profile X needs unit_bits of timesteps - 1 to 15, received " + std::to_string(f));
    const double one = std::ldexp(1.0, static_cast<int>(f));
    int64_t reach = 0;
    out_.theta.resize(static_cast<size_t>(f + 1) * channels_);
    for (size_t c = 0; c < channels_; ++c) {
      expect(a(sum, c) > 0, "profile X needs a positive scale, channel " + std::to_string(c) + " has 0");
      const int64_t range = sum.a_max[c] << (f + 1);
      expect(range < kTwo31,
             "profile X: the sum of channel " + std::to_string(c) + " needs more than 32 bits");
      reach = std::max(reach, range);
      for (int64_t k = 1; k <= f + 1; ++k) {
        const double x =
            one * (spec_.threshold - d(c) * (2.0 - std::ldexp(1.0, static_cast<int>(1 - k)))) / a(sum, c);
        const double theta = spec_.strict ? std::floor(x) + 1 : std::ceil(x);
        // |V| stays below `range`: thresholds beyond it always or never fire, and are stored as the nearest
        // that do the same.
        const auto end = static_cast<double>(std::max<int64_t>(range, 1));
        out_.theta[static_cast<size_t>(k - 1) * channels_ + c] =
            static_cast<int32_t>(std::clamp(theta, -end, end));
      }
      out_.factors[0][c] = static_cast<int32_t>(one);
    }
    out_.profile = "X";
    out_.state = reach <= 32767 ? "i16" : "i32";
    out_.leak = "half_floor";
    out_.leak_param = 0;
    out_.unit_bits = f;
  }

  const std::string& layer_;
  const std::vector<CurrentTerm>& terms_;
  const NeuronSpec& spec_;
  int64_t steps_;
  std::vector<const CurrentTerm*> sums_;
  size_t channels_ = 0, rows_ = 1;  // of factors
  double unit_ = 1;
  NeuronConstants out_;
};

}  // namespace

void check_words(const std::string& layer, const NeuronSpec& spec) {
  for (const Words& each : words()) {
    require(
        std::ranges::count(each.known, spec.*each.word) > 0, ErrorCode::kInvalidArgument,
        layer + ": " + each.name + " must be " + one_of(each.known) + ", received '" + spec.*each.word + "'");
  }
}

NeuronConstants neuron_constants(const std::string& layer, const std::vector<CurrentTerm>& terms,
                                 const NeuronSpec& spec, int64_t steps) {
  return Constants(layer, terms, spec, steps).compute();
}

}  // namespace snncore::graph
