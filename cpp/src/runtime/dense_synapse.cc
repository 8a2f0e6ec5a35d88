// Pixels, counts and real values into the dense kernels: patches of a tile, then one product.
#include "kernels/table.h"
#include "runtime/image_lines.h"
#include "runtime/synapse_base.h"

namespace snncore::runtime {
namespace {

using kernels::kernels;
using ops::EdgeType;

// Few bytes cost less in two moves that overlap than in a call.
inline void copy_bytes(uint8_t* to, const std::byte* from, size_t count) noexcept {
  if (count < 8 || count > 16) {
    std::memcpy(to, from, count);
    return;
  }
  uint64_t begin, end;
  std::memcpy(&begin, from, 8);
  std::memcpy(&end, from + count - 8, 8);
  std::memcpy(to, &begin, 8);
  std::memcpy(to + count - 8, &end, 8);
}

// Pixels and counts: patches of bytes, then the dense byte kernel. Counts above 255 are split into a low and
// a high byte.
class ByteSynapse final : public StepwiseSynapse {
 public:
  ByteSynapse(const SynapseShape& shape, const Slot& input, std::shared_ptr<const PackedWeights> weights,
              bool odd, bool high, std::vector<uint8_t> padding)
      : StepwiseSynapse(shape, input, std::move(weights)),
        odd_(odd),
        high_(high),
        padding_(std::move(padding)),
        zero_init_(shape.group_padded() * sizeof(int32_t)),
        lines_(shape, input, padding_) {}

  [[nodiscard]] size_t lane_bytes(size_t pixels, size_t) const noexcept override {
    const size_t rows = part_bytes(pixels) + align_up(pixels * patch_bytes(shape_)) +
                        (high_ ? align_up(pixels * shape_.group_padded() * 4) : 0);
    return std::max(rows, has_lines() ? lines_.bytes(pixels) : 0);
  }

  [[nodiscard]] TileSize good_tile() const noexcept override {
    return has_lines() ? lane_tile(shape_.channels) : SynapseBase::good_tile();
  }

  bool sums_or_spikes(const Frame& frame, const Tile& tile, const TileNeurons& neurons, void* out,
                      std::byte* lane) const noexcept override {
    if (!has_lines() || tile.steps > 1 || neurons.step_lanes == nullptr) {
      sums(frame, tile, out, lane);
      return false;
    }
    kernels::LaneSums sums =
        lines_.sums(frame, tile, weights_->lines.as<int8_t>(), weights_->init.as<int32_t>(), lane);
    sums.t_stride = 0;
    sums.spikes = neurons.spikes;
    neurons.step_lanes(neurons.lif, sums);
    return true;
  }

  void step_sums(const Frame& frame, const Tile& tile, void* out, std::byte* lane) const noexcept override {
    auto* part = reinterpret_cast<int32_t*>(lane);
    auto* patches = reinterpret_cast<uint8_t*>(lane + part_bytes(tile.count));
    auto* high = reinterpret_cast<int32_t*>(patches + align_up(tile.count * patch_bytes(shape_)));
    for_groups(shape_, tile.count, static_cast<int32_t*>(out), part, [&](size_t g, int32_t* to) noexcept {
      fill_patches(frame, tile, g, 0, patches);
      kernels().gemm_u8i8_i32(patches, tile.count,
                              weights(g, weights_->init.as<int32_t>() + g * shape_.group_padded()), to);
      if (!high_) return;
      fill_patches(frame, tile, g, 8, patches);
      kernels().gemm_u8i8_i32(patches, tile.count, weights(g, zero_init_.as<int32_t>()), high);
      for (size_t i = 0; i < tile.count * shape_.group_padded(); ++i) to[i] += high[i] * 256;
    });
  }

 private:
  [[nodiscard]] bool has_lines() const noexcept { return weights_->lines.size() > 0; }
  [[nodiscard]] kernels::ByteWeights weights(size_t g, const int32_t* init) const noexcept {
    const size_t cp = shape_.group_padded(), patch = patch_bytes(shape_);
    return {weights_->codes.as<int8_t>() + g * patch * cp, patch / 4, cp,
            weights_->code_sums.as<int32_t>() + g * cp,    init,      odd_};
  }

  void fill_patches(const Frame& frame, const Tile& tile, size_t g, int shift,
                    uint8_t* patches) const noexcept {
    const size_t bytes = patch_bytes(shape_), used = shape_.window.taps() * shape_.inputs,
                 channel = g * shape_.inputs;
    const std::byte* image = input_.row(frame, tile.t, tile.n, 0);
    const Window& window = shape_.window;
    // Pixels of a line lie side by side, and so do the taps that read them.
    const bool lines = input_.type == EdgeType::kPixel && shape_.groups == 1 && window.dilation_w == 1;
    const size_t line = static_cast<size_t>(window.kernel_w) * shape_.inputs,
                 below = static_cast<size_t>(window.dilation_h * window.in_w) * input_.row_bytes;
    for (size_t p = 0; p < tile.count; ++p) {
      uint8_t* patch = patches + p * bytes;
      std::memset(patch + bytes - 4, 0, 4);  // what fills up the last four; taps come on top
      if (const int64_t first = lines ? window.first_if_inside(tile.first + p) : -1; first >= 0) {
        const std::byte* from = image + static_cast<size_t>(first) * input_.row_bytes;
        for (size_t at = 0; at < used; at += line, from += below) copy_bytes(patch + at, from, line);
        continue;
      }
      window.for_taps(tile.first + p, [&](size_t tap, int64_t pixel) noexcept {
        uint8_t* to = patch + tap * shape_.inputs;
        if (pixel < 0) {
          std::memcpy(to, padding_.data() + channel, shape_.inputs);
          return;
        }
        const std::byte* row = image + static_cast<size_t>(pixel) * input_.row_bytes;
        if (input_.type == EdgeType::kPixel) {
          std::memcpy(to, row + channel, shape_.inputs);
        } else {
          const auto* counts = reinterpret_cast<const uint16_t*>(row) + channel;
          for (size_t i = 0; i < shape_.inputs; ++i) to[i] = static_cast<uint8_t>(counts[i] >> shift);
        }
      });
    }
  }

  bool odd_, high_;
  std::vector<uint8_t> padding_;  // one byte per input channel of all groups
  AlignedBuffer zero_init_;
  ImageLines lines_;
};

// Real values and counts on float weights: patches of floats, then the dense float kernel.
class RealSynapse final : public StepwiseSynapse {
 public:
  RealSynapse(const SynapseShape& shape, const Slot& input, std::shared_ptr<const PackedWeights> weights,
              float divisor)
      : StepwiseSynapse(shape, input, std::move(weights)), divisor_(divisor) {}

  [[nodiscard]] size_t lane_bytes(size_t pixels, size_t) const noexcept override {
    return part_bytes(pixels) + align_up(pixels * shape_.window.taps() * shape_.inputs * sizeof(float));
  }

  void step_sums(const Frame& frame, const Tile& tile, void* out, std::byte* lane) const noexcept override {
    auto* part = reinterpret_cast<float*>(lane);
    auto* patches = reinterpret_cast<float*>(lane + part_bytes(tile.count));
    const size_t cp = shape_.group_padded(), taps = shape_.window.taps(), group = taps * shape_.inputs * cp;
    for_groups(shape_, tile.count, static_cast<float*>(out), part, [&](size_t g, float* to) noexcept {
      fill_patches(frame, tile, g, patches);
      const float* bias = weights_->bias.size() == 0 ? nullptr : weights_->bias.as<float>() + g * cp;
      kernels().gemm_f32f32_f32(patches, tile.count,
                                {weights_->codes.as<float>() + g * group, shape_.inputs, taps, cp, bias}, to);
    });
  }

 private:
  void fill_patches(const Frame& frame, const Tile& tile, size_t g, float* patches) const noexcept {
    const size_t size = shape_.window.taps() * shape_.inputs, first = g * shape_.inputs;
    const std::byte* image = input_.row(frame, tile.t, tile.n, 0);
    for (size_t p = 0; p < tile.count; ++p) {
      shape_.window.for_taps(tile.first + p, [&](size_t tap, int64_t pixel) noexcept {
        float* to = patches + p * size + tap * shape_.inputs;
        if (pixel < 0) {
          std::fill(to, to + shape_.inputs, 0.0F);
          return;
        }
        const std::byte* row = image + static_cast<size_t>(pixel) * input_.row_bytes;
        if (input_.type == EdgeType::kReal) {
          std::memcpy(to, reinterpret_cast<const float*>(row) + first, shape_.inputs * sizeof(float));
        } else {
          const auto* counts = reinterpret_cast<const uint16_t*>(row) + first;
          for (size_t i = 0; i < shape_.inputs; ++i) to[i] = static_cast<float>(counts[i]) / divisor_;
        }
      });
    }
  }

  float divisor_;
};

}  // namespace

std::unique_ptr<Synapse> dense_synapse(const ops::NodeView& node, const SynapseShape& shape,
                                       const Slot& input, std::shared_ptr<const PackedWeights> weights) {
  const ops::Edge& edge = *node.inputs[0];
  if (layout_of(node) == Layout::kFloats) {
    return std::make_unique<RealSynapse>(shape, input, std::move(weights), static_cast<float>(edge.divisor));
  }
  std::vector<uint8_t> padding(shape.inputs * shape.groups, 0);
  for (size_t i = 0; i < padding.size() && edge.type == EdgeType::kPixel; ++i) {
    padding[i] = static_cast<uint8_t>(edge.zero_point[i]);
  }
  const bool odd = node.find("weight")->encoding == tensor::Encoding::kOdd;
  const bool high = edge.type == EdgeType::kCount && edge.hi > 255;
  return std::make_unique<ByteSynapse>(shape, input, std::move(weights), odd, high, std::move(padding));
}

}  // namespace snncore::runtime
