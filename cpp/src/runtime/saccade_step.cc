#include "runtime/saccade_step.h"

#include <cstring>
#include <utility>

#include "base/align.h"

namespace snncore::runtime {
namespace {

// chunk = (sample, image row), with all steps: a patch needs its own past alone.
class SaccadeStep final : public Step {
 public:
  SaccadeStep(Saccade saccade, const Slot& q, const Slot& out)
      : saccade_(std::move(saccade)), q_(q), out_(out), most_(saccade_.threshold.size()) {}

  [[nodiscard]] size_t chunks() const noexcept override { return out_.batch * out_.height; }

  void run(const Frame& f, size_t chunk, std::byte*) const noexcept override {
    const size_t n = chunk / out_.height, first = chunk % out_.height * out_.width;
    const size_t before = saccade_.q_state ? static_cast<size_t>(f.steps_before) : 0;
    for (size_t t = 0; t < out_.steps; ++t) {
      if (saccade_.kappa_state && first == 0)
        keep(f, *saccade_.kappa, *saccade_.kappa_state, before, t, n, 0);
      for (size_t p = first; p < first + out_.width; ++p) {
        if (saccade_.q_state) keep(f, q_, *saccade_.q_state, before, t, n, p);
        gate(f, before, t, n, p);
      }
    }
  }

 private:
  [[nodiscard]] int32_t* kept(const Frame& f, const Slot& slot, size_t state, size_t step, size_t n,
                              size_t p) const noexcept {
    return reinterpret_cast<int32_t*>(f.state + state) +
           ((step * slot.batch + n) * slot.pixels + p) * slot.channels;
  }

  void keep(const Frame& f, const Slot& slot, size_t state, size_t before, size_t t, size_t n,
            size_t p) const noexcept {
    std::memcpy(kept(f, slot, state, before + t, n, p), slot.row<int32_t>(f, t, n, p),
                slot.channels * sizeof(int32_t));
  }

  // The sums of a step since the start: of this run, or kept from one before. Those of this run are never
  // read from the state, where another chunk may be writing them.
  [[nodiscard]] const int32_t* sums(const Frame& f, const Slot& slot, std::optional<size_t> state,
                                    size_t before, size_t step, size_t n, size_t p) const noexcept {
    return step >= before ? slot.row<int32_t>(f, step - before, n, p) : kept(f, slot, *state, step, n, p);
  }

  void gate(const Frame& f, size_t before, size_t t, size_t n, size_t p) const noexcept {
    auto* to = out_.row<uint64_t>(f, t, n, p);
    std::memset(to, 0, out_.row_bytes);
    for (size_t c = 0; c < out_.channels; ++c) {
      if (reached(f, before, before + t, n, p, c) >= saccade_.threshold[before + t])
        to[c / 64] |= uint64_t{1} << c % 64;
    }
  }

  [[nodiscard]] double reached(const Frame& f, size_t before, size_t now, size_t n, size_t p,
                               size_t c) const noexcept {
    const auto q = [&](size_t step) noexcept {
      return static_cast<double>(sums(f, q_, saccade_.q_state, before, step, n, p)[c]);
    };
    const auto kappa = [&](size_t step) noexcept {
      return static_cast<double>(sums(f, *saccade_.kappa, saccade_.kappa_state, before, step, n, 0)[c]);
    };
    if (saccade_.mix.empty()) return saccade_.kappa ? q(now) * kappa(now) : q(now);
    const double* mix = saccade_.mix.data() + now * most_;
    double sum = 0.0;
    for (size_t j = 0; j <= now; ++j) sum += (saccade_.kappa ? mix[j] * kappa(j) : mix[j]) * q(j);
    return sum;
  }

  Saccade saccade_;
  Slot q_, out_;
  size_t most_;
};

}  // namespace

size_t saccade_state_bytes(const Slot& sums, size_t steps) noexcept {
  return align_up(steps * sums.batch * sums.pixels * sums.channels * sizeof(int32_t));
}

std::unique_ptr<Step> saccade_step(Saccade saccade, const Slot& q, const Slot& out) {
  return std::make_unique<SaccadeStep>(std::move(saccade), q, out);
}

}  // namespace snncore::runtime
