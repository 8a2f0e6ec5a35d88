#include "ops/bounds.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>

#include "base/checked.h"
#include "ops/infer.h"
#include "ops/weights.h"

namespace snncore::ops {
namespace {

constexpr int64_t kMax32 = std::numeric_limits<int32_t>::max();
constexpr int64_t kMin32 = std::numeric_limits<int32_t>::min();

/// Sums of the positive and of the negative values m in a stretch of codes, by a table of bytes: 8 / bits
/// weights a look-up.
class SignedSums {
 public:
  explicit SignedSums(const tensor::Tensor& w) : w_(w), bits_(static_cast<size_t>(w.bits)) {
    alignas(8) std::array<std::byte, 8> word{};
    tensor::Tensor one = w;
    one.data = word.data();
    for (size_t byte = 0; byte < 256; ++byte) {
      word[0] = static_cast<std::byte>(byte);
      for (size_t i = 0; i < 8 / bits_; ++i) table_[byte] += packed(value(one, i));
    }
  }

  static int32_t value(const tensor::Tensor& w, size_t i) noexcept {
    const int32_t q = tensor::code_at(w, i);
    return w.encoding == tensor::Encoding::kOdd ? 2 * q + 1 : q;
  }

  struct Sums {
    int64_t positive = 0, negative = 0;  // negative: the sum of |m|
  };
  [[nodiscard]] Sums over(size_t begin, size_t end) const noexcept {
    Sums sums;
    const size_t each = 8 / bits_;
    size_t i = begin;
    for (; i < end && i % each != 0; ++i) sums = plus(sums, packed(value(w_, i)));
    const auto* bytes = w_.as<uint8_t>();
    for (size_t byte = i / each, last = end / each; byte < last;) {
      const size_t stop =
          std::min(last, byte + (size_t{1} << 22));  // 2^22 * 255 < 2^32: the halves cannot meet
      uint64_t both = 0;
      for (; byte < stop; ++byte) both += table_[bytes[byte]];
      sums = plus(sums, both);
    }
    for (i = std::max(i, end / each * each); i < end; ++i) sums = plus(sums, packed(value(w_, i)));
    return sums;
  }

 private:
  static uint64_t packed(int32_t m) noexcept {
    return m >= 0 ? static_cast<uint64_t>(m) : static_cast<uint64_t>(-int64_t{m}) << 32;
  }
  static Sums plus(Sums s, uint64_t both) noexcept {
    return {s.positive + static_cast<int64_t>(both & 0xffffffffU),
            s.negative + static_cast<int64_t>(both >> 32)};
  }

  const tensor::Tensor& w_;
  size_t bits_;
  std::array<uint64_t, 256> table_{};
};

/// x = p - z[c], so every input channel has a range of its own. `zero_point` holds one z for each of `inputs`
/// channels.
Range pixel_range(const tensor::Tensor& w, size_t begin, size_t end, const int64_t* zero_point,
                  size_t inputs) {
  Range range{0, 0};
  for (size_t i = begin; i < end; ++i) {
    const int64_t z = zero_point[(i - begin) % inputs];
    const int64_t m = SignedSums::value(w, i);
    range.hi += m > 0 ? m * (255 - z) : m * -z;
    range.lo += m > 0 ? m * -z : m * (255 - z);
  }
  return range;
}

/// Every channel may reach what the edge may.
ChannelRange counted_range(const NodeView& view) {
  const Edge sum = find_op(view.node.op, view.node.version)->infer(view);
  const auto channels = static_cast<size_t>(sum.channels());
  const std::vector<int64_t> hi(channels, sum.hi);
  return {.lo = std::vector<int64_t>(channels, sum.lo), .hi = hi, .a_max = hi};
}

/// The row of a step, of a tensor that has one for each or one for all.
const int32_t* step_row(const tensor::Tensor& t, size_t step) {
  const bool rows = t.shape.size() == 2;
  return t.as<int32_t>() + (rows ? step * static_cast<size_t>(t.shape[1]) : 0);
}

/// What both parts of `((sum_j A_j * M.j + C + h) >> n) + sum_j K.j * s_j` reach.
struct Current {
  Range weighed, added;

  [[nodiscard]] Range whole() const { return {weighed.lo + added.lo, weighed.hi + added.hi}; }
};

Range joined(Range a, Range b) { return {std::min(a.lo, b.lo), std::max(a.hi, b.hi)}; }

/// Of a checked node at one step, for each channel.
std::vector<Current> requantised_at(const NodeView& view, const std::vector<const ChannelRange*>& sums,
                                    bool wide, size_t step) {
  const int64_t channels = view.inputs[0]->channels();
  const int32_t* offset = step_row(*view.find("C"), step);
  const auto* shift = view.get("n", DType::kI32, {channels}).as<int32_t>();
  std::vector<const int32_t*> factors;
  for (size_t j = 0; j < sums.size(); ++j) {
    const bool added = sums[j] == nullptr && view.inputs[j]->type == EdgeType::kStream;  // without a factor
    const std::string role = (sums[j] != nullptr ? "M." : "K.") + std::to_string(j);
    factors.push_back(added ? nullptr : step_row(*view.find(role), step));
  }
  const std::string what = view.label() + ": bound";
  std::vector<Current> all;
  for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
    const int64_t half = shift[c] > 0 ? int64_t{1} << (shift[c] - 1) : 0;
    int64_t bound = std::abs(int64_t{offset[c]}) + half, lo = offset[c] + half, hi = lo, side_lo = 0,
            side_hi = 0;
    for (size_t j = 0; j < sums.size(); ++j) {
      if (factors[j] == nullptr) continue;
      const int64_t f = factors[j][c];
      if (const ChannelRange* a = sums[j]) {
        bound = checked_add(bound, checked_mul(a->a_max[c], f, what), what);
        lo = checked_add(lo, checked_mul(a->lo[c], f, what), what);
        hi = checked_add(hi, checked_mul(a->hi[c], f, what), what);
      } else {
        (f > 0 ? side_hi : side_lo) += f * view.inputs[j]->hi;
      }
    }
    if (!wide && bound > kMax32) {
      view.fail("channel " + std::to_string(c) + " may reach " + std::to_string(bound) +
                " before the shift, past 31 bits, and is not wide");
    }
    all.push_back({{lo >> shift[c], hi >> shift[c]}, {side_lo, side_hi}});
  }
  return all;
}

/// The same at all steps.
std::vector<Current> requantised(const NodeView& view, const std::vector<const ChannelRange*>& sums,
                                 bool wide) {
  std::vector<Current> all = requantised_at(view, sums, wide, 0);
  for (int64_t step = 1; step < factor_steps(view); ++step) {
    const std::vector<Current> more = requantised_at(view, sums, wide, static_cast<size_t>(step));
    for (size_t c = 0; c < all.size(); ++c) {
      all[c] = {joined(all[c].weighed, more[c].weighed), joined(all[c].added, more[c].added)};
    }
  }
  return all;
}

void expect_int32(const NodeView& view, const std::string& what, Range range) {
  if (range.lo >= kMin32 && range.hi <= kMax32) return;
  view.fail(what + " may lie in " + std::to_string(range.lo) + ".." + std::to_string(range.hi) +
            ", past 32 bits");
}

Range saturated(Range r) { return {std::clamp(r.lo, kMin32, kMax32), std::clamp(r.hi, kMin32, kMax32)}; }

}  // namespace

ChannelRange channel_range(const NodeView& view) {
  if (view.find("weight") == nullptr) return counted_range(view);
  const tensor::Tensor& w = *view.find("weight");
  const Edge& x = *view.inputs[0];
  const Shape& shape = weight_shape(w);
  const auto channels = static_cast<size_t>(shape[0]), inputs = static_cast<size_t>(shape.back());
  size_t count = 1;
  for (size_t axis = 1; axis < shape.size(); ++axis) count *= static_cast<size_t>(shape[axis]);
  const size_t groups = shape.size() == 4 ? static_cast<size_t>(view.integer("groups")) : 1;
  const bool pixels = x.type == EdgeType::kPixel;

  const SignedSums table(w);
  ChannelRange range;
  for (size_t c = 0; c < channels; ++c) {
    const SignedSums::Sums s = table.over(c * count, (c + 1) * count);
    const int64_t a_max = x.hi * (s.positive + s.negative);
    if (a_max > kMax32) {
      view.fail("the sum of channel " + std::to_string(c) + " may reach " + std::to_string(a_max) +
                ", past 32 bits");
    }
    Range sum{-x.hi * s.negative, x.hi * s.positive};
    if (pixels) {
      const int64_t* zero_point = x.zero_point.data() + c / (channels / groups) * inputs;
      sum = pixel_range(w, c * count, (c + 1) * count, zero_point, inputs);
    }
    range.lo.push_back(sum.lo);
    range.hi.push_back(sum.hi);
    range.a_max.push_back(a_max);
  }
  return range;
}

std::vector<int64_t> accumulator_bounds(const NodeView& view) { return channel_range(view).a_max; }

Range requant_range(const NodeView& view, const std::vector<const ChannelRange*>& sums) {
  const std::vector<Current> currents = requantised(view, sums, view.flag("wide"));
  const auto stream = [](const Edge* x) { return x->type == EdgeType::kStream; };
  const bool saturates = std::ranges::any_of(view.inputs, stream);
  Range all{kMax32, kMin32};
  for (size_t c = 0; c < currents.size(); ++c) {
    const Range current = currents[c].whole();
    if (!saturates) expect_int32(view, "the current of channel " + std::to_string(c), current);
    all = joined(all, saturated(current));
  }
  return all;
}

ChannelRange residual_range(const NodeView& view, const std::vector<const ChannelRange*>& sums) {
  std::vector<const ChannelRange*> own = sums, streams;
  for (size_t j = 0; j < sums.size(); ++j) {
    if (view.inputs[j]->type == EdgeType::kStream) streams.push_back(std::exchange(own[j], nullptr));
  }
  const std::vector<Current> written = requantised(view, own, true);
  ChannelRange all;
  for (size_t c = 0; c < written.size(); ++c) {
    expect_int32(view, "what spikes add to channel " + std::to_string(c), written[c].added);
    Range sum = Current{saturated(written[c].weighed), written[c].added}.whole();
    for (const ChannelRange* stream : streams) sum = {sum.lo + stream->lo[c], sum.hi + stream->hi[c]};
    sum = saturated(sum);
    all.lo.push_back(sum.lo);
    all.hi.push_back(sum.hi);
    all.a_max.push_back(std::max(std::abs(all.lo[c]), std::abs(all.hi[c])));
  }
  return all;
}

}  // namespace snncore::ops
