// Every method to sum spikes, forced by costs that leave no other: the same sums.
#include <algorithm>
#include <array>
#include <initializer_list>
#include <numeric>
#include <optional>

#include "forced_method.h"
#include "kernels/common.h"
#include "runtime/pack.h"
#include "runtime/sum_methods.h"
#include "tensor/tensor.h"

namespace snncore::runtime {
namespace {

using tensor::Encoding;
using test::Random;

struct Layer {
  SynapseShape shape;
  size_t steps = 3;
  int bits = 4;
  Encoding encoding = Encoding::kSym;
  double kept = 1, density = 0.4;
};

// A layer with its weights and spikes, and its sums in the order of the words.
class Case {
 public:
  Case(Random& random, const Layer& layer) : layer_(layer), s_(layer.shape) {
    const Window& w = s_.window;
    slot_ = {.pixels = static_cast<size_t>(w.in_h * w.in_w),
             .channels = s_.inputs * s_.groups,
             .height = static_cast<size_t>(w.in_h),
             .width = static_cast<size_t>(w.in_w),
             .steps = layer.steps,
             .type = ops::EdgeType::kSpike};
    slot_.row_bytes = words_for(slot_.channels) * sizeof(uint64_t);
    bits_ = AlignedBuffer(slot_.bytes());
    frame_.scratch = bits_.data();
    for (size_t row = 0; row < layer.steps * slot_.pixels; ++row) {
      for (size_t i = 0; i < slot_.channels; ++i) {
        if (random.chance(layer.density))
          set_bit(bits_.as<uint64_t>() + row * slot_.row_bytes / sizeof(uint64_t), i);
      }
    }
    const int32_t half = 1 << (layer.bits - 1);
    codes_.resize(s_.channels * w.taps() * s_.inputs);
    for (int8_t& q : codes_) {
      if (!random.chance(layer.kept)) continue;
      q = static_cast<int8_t>(random.in(layer.encoding == Encoding::kSym ? 1 - half : -half, half - 1));
    }
    weights_ = tensor::encode_weight(
        codes_.data(),
        {static_cast<int64_t>(s_.channels), w.kernel_h, w.kernel_w, static_cast<int64_t>(s_.inputs)},
        layer.bits, layer.encoding, "weight");
  }

  [[nodiscard]] std::vector<int32_t> expected() const {
    std::vector<int32_t> out(layer_.steps * s_.window.pixels() * s_.padded());
    const size_t group = s_.group_channels(), taps = s_.window.taps();
    for (size_t t = 0; t < layer_.steps; ++t) {
      for (size_t p = 0; p < s_.window.pixels(); ++p) {
        s_.window.for_taps(p, [&](size_t tap, int64_t from) {
          if (from < 0) return;
          const auto* row = slot_.row<uint64_t>(frame_, t, 0, static_cast<size_t>(from));
          for (size_t c = 0; c < s_.channels; ++c) {
            for (size_t i = 0; i < s_.inputs; ++i) {
              if (!get_bit(row, c / group * s_.inputs + i)) continue;
              const int32_t q = codes_[(c * taps + tap) * s_.inputs + i];
              out[(t * s_.window.pixels() + p) * s_.padded() + c] +=
                  layer_.encoding == Encoding::kOdd ? 2 * q + 1 : q;
            }
          }
        });
      }
    }
    return out;
  }

  // By a method, if the weights can be laid out for it; in tiles of `count` pixels, all steps.
  [[nodiscard]] bool matches(SumMethod method, size_t count, bool& used) const {
    const Forced forced(method);
    auto packed = std::make_shared<PackedWeights>();
    pack_spike_weights(weights_, s_, *packed);
    const size_t all = s_.window.pixels();
    used =
        SumMethods(s_, *packed)
            .fastest({s_.window, {.count = std::min(count, all), .steps = layer_.steps}, layer_.density}) ==
        method;
    const auto synapse = spike_synapse(s_, slot_, packed, layer_.encoding == Encoding::kOdd, nullptr);
    AlignedBuffer lane(synapse->lane_bytes(count, layer_.steps));
    const std::vector<int32_t> right = expected();
    bool same = true;
    for (size_t first = 0; first < all; first += count) {
      const Tile tile{.first = first, .count = std::min(count, all - first), .steps = layer_.steps};
      AlignedBuffer sums(tile.count * tile.steps * s_.padded() * sizeof(int32_t));
      synapse->sums(frame_, tile, sums.data(), lane.data());
      same = same && lanes_match(method, *synapse, tile, right);
      for (size_t row = 0; row < tile.count * tile.steps; ++row) {
        const auto* to = sums.as<int32_t>() + row * s_.padded();
        const size_t pixel = row / tile.count * all + first + row % tile.count;
        same = same && std::equal(to, to + s_.channels,
                                  right.begin() + static_cast<std::ptrdiff_t>(pixel * s_.padded()));
      }
    }
    return same;
  }

  /// Tiles of all cases whose sums a forced method left in lanes.
  [[nodiscard]] static size_t in_lanes(SumMethod method) { return in_lanes_[static_cast<size_t>(method)]; }

 private:
  // Neurons that keep where their sums lie.
  static inline std::optional<kernels::LaneSums> taken_;
  static inline std::array<size_t, 5> in_lanes_{};
  static inline kernels::WeightedSpikes beside_{};
  static inline bool weighed_ = true;
  // Neurons that look at what enters beside their sums: their spikes would lie as those that enter do.
  static void take_rows(const kernels::LifTile& lif) {
    const kernels::WeightedSpikes& w = beside_;
    const auto offset = static_cast<size_t>(lif.out - w.rows);
    const int32_t* factor = w.factor + offset % w.stride * 64;
    for (size_t i = 0; i < lif.steps * lif.pixels * lif.channels; ++i) {
      const size_t c = i % lif.channels, p = i / lif.channels % lif.pixels, t = i / lif.channels / lif.pixels;
      const bool spike = get_bit(w.rows + offset + t * w.t_stride + p * w.stride, c);
      weighed_ = weighed_ && lif.extra[(t * lif.pixels + p) * lif.channels_padded + c] == spike * factor[c];
    }
  }
  static void take_lanes(const kernels::LifTile&, const kernels::LaneSums& sums) { taken_ = sums; }

  // The sums that neurons get in lanes, where that is cheaper than rows.
  [[nodiscard]] bool lanes_match(SumMethod method, const Synapse& synapse, const Tile& tile,
                                 const std::vector<int32_t>& right) const {
    const size_t all = s_.window.pixels();
    AlignedBuffer lane(synapse.lane_bytes(tile.count, tile.steps));
    AlignedBuffer rows(tile.count * tile.steps * s_.padded() * sizeof(int32_t));
    AlignedBuffer extra(rows.size());
    std::vector<int32_t> constants(s_.padded());
    std::iota(constants.begin(), constants.end(), -7);
    const size_t words = words_for(s_.channels);
    std::vector<uint64_t> beside(tile.steps * tile.count * words);
    for (size_t i = 0; i < beside.size(); ++i) beside[i] = (i + 1) * 0x9e3779b97f4a7c15;
    kernels::LifTile lif{};
    lif.m = lif.c = lif.n = lif.theta = constants.data();
    lif.steps = tile.steps;
    lif.out = beside.data();
    lif.out_stride = words;
    beside_ = {beside.data(), words, tile.count * words, tile.steps, tile.count, constants.data()};
    taken_.reset();
    weighed_ = true;
    synapse.sums_or_spikes(frame_, tile, {lif, take_rows, take_lanes, beside_, extra.as<int32_t>()},
                           rows.data(), lane.data());
    if (!taken_) return weighed_;
    if (taken_->spikes.rows != beside.data()) return false;
    ++in_lanes_[static_cast<size_t>(method)];
    bool same = true;
    for (size_t i = 0; i < tile.count * tile.steps * s_.channels; ++i) {
      const size_t c = i / tile.count / tile.steps, t = i / tile.count % tile.steps, p = i % tile.count;
      same = same && taken_->narrow[c * taken_->pitch + t * taken_->t_stride + taken_->places[p]] ==
                         right[(t * all + tile.first + p) * s_.padded() + c];
    }
    return same;
  }

  Layer layer_;
  SynapseShape s_;
  Slot slot_;
  AlignedBuffer bits_;
  Frame frame_;
  std::vector<int8_t> codes_;
  tensor::Tensor weights_;
};

constexpr SumMethod kMethods[] = {SumMethod::kGather, SumMethod::kCount, SumMethod::kSparse,
                                  SumMethod::kLookUp, SumMethod::kDense};

void check(Random& random, const Layer& layer, std::initializer_list<SumMethod> can) {
  const Case c(random, layer);
  for (const SumMethod method : kMethods) {
    bool used = false;
    CAPTURE(static_cast<int>(method));
    CAPTURE(layer.shape.inputs);
    CAPTURE(layer.shape.groups);
    CAPTURE(layer.bits);
    CHECK(c.matches(method, random.size(1, 90), used));
    CHECK(used == (std::find(can.begin(), can.end(), method) != can.end()));
  }
}

SynapseShape conv(size_t inputs, size_t channels, size_t groups, int64_t stride, int64_t dilation) {
  return {.window = {.in_h = 9,
                     .in_w = 11,
                     .out_h = (9 + 2 - 2 * dilation - 1) / stride + 1,
                     .out_w = (11 + 2 - 2 * dilation - 1) / stride + 1,
                     .kernel_h = 3,
                     .kernel_w = 3,
                     .stride_h = stride,
                     .stride_w = stride,
                     .pad_top = 1,
                     .pad_left = 1,
                     .dilation_h = dilation,
                     .dilation_w = dilation},
          .groups = groups,
          .inputs = inputs,
          .channels = channels};
}

TEST_CASE("whichever method sums, the sums are equal") {
  Random random(41);
  using enum SumMethod;
  for (const SynapseShape& shape : {conv(64, 32, 1, 1, 1), conv(3, 40, 1, 2, 1), conv(70, 133, 1, 1, 2),
                                    conv(20, 24, 3, 1, 1), conv(64, 64, 2, 2, 2)}) {
    check(random, {.shape = shape, .bits = 1, .encoding = Encoding::kOdd},
          {kGather, kCount, kLookUp, kDense});
    check(random, {.shape = shape, .bits = 2, .encoding = Encoding::kOdd}, {kGather, kLookUp, kDense});
    check(random, {.shape = shape, .bits = 4, .encoding = Encoding::kOdd}, {kGather, kLookUp, kDense});
    check(random, {.shape = shape, .bits = 4}, {kGather, kLookUp, kDense});
    check(random, {.shape = shape, .bits = 8}, {kGather, kDense});
    check(random, {.shape = shape, .bits = 8, .encoding = Encoding::kOdd}, {kGather});
    check(random, {.shape = shape, .bits = 4, .kept = 0.1}, {kGather, kSparse, kLookUp, kDense});
    check(random, {.shape = shape, .bits = 8, .kept = 0.3, .density = 0.9}, {kGather, kSparse, kDense});
  }
  for (const SumMethod method : {kSparse, kLookUp})
    CHECK((Case::in_lanes(method) > 0) == kernels::kernels().lanes);
}

}  // namespace
}  // namespace snncore::runtime
