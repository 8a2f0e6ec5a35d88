#include "runtime/synapse.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/bits.h"

namespace snncore::runtime {
namespace {

using kernels::kernels;
using ops::EdgeType;

size_t patch_bytes(const SynapseShape& s) noexcept { return align_up(s.window.taps() * s.inputs, 4); }

// Copies the `count` bits from `first` on to the start of `out`.
void extract_bits(const uint64_t* row, size_t first, size_t count, uint64_t* out) noexcept {
  const size_t word = first / 64, shift = first % 64, words = words_for(count);
  const size_t last = (first + count - 1) / 64;
  for (size_t i = 0; i < words; ++i) {
    uint64_t v = row[word + i] >> shift;
    if (shift != 0 && word + i + 1 <= last) v |= row[word + i + 1] << (64 - shift);
    out[i] = v;
  }
  out[words - 1] &= tail_mask(count);
}

// Sums of one group, written where they belong: straight into `out` when there is one group, else through
// `part`.
template <typename T, typename Compute>
void for_groups(const SynapseShape& s, size_t pixels, T* out, T* part, const Compute& compute) noexcept {
  if (s.groups == 1) {
    compute(size_t{0}, out);
    return;
  }
  for (size_t g = 0; g < s.groups; ++g) {
    compute(g, part);
    for (size_t p = 0; p < pixels; ++p) {
      std::memcpy(out + p * s.padded() + g * s.group_channels(), part + p * s.group_padded(),
                  s.group_channels() * sizeof(T));
    }
  }
  for (size_t p = 0; p < pixels; ++p)
    std::fill(out + p * s.padded() + s.channels, out + (p + 1) * s.padded(), T{});
}

class SynapseBase : public Synapse {
 public:
  SynapseBase(const SynapseShape& shape, const Slot& input, std::shared_ptr<const PackedWeights> weights)
      : shape_(shape), input_(input), weights_(std::move(weights)) {}
  [[nodiscard]] bool is_static() const noexcept override { return input_.is_static(); }

 protected:
  [[nodiscard]] size_t part_bytes(size_t pixels) const noexcept {
    return shape_.groups == 1 ? 0 : align_up(pixels * shape_.group_padded() * sizeof(int32_t));
  }

  SynapseShape shape_;
  Slot input_;
  std::shared_ptr<const PackedWeights> weights_;
};

// Spikes: row pointers of every tap, then the gather kernel of the weight type.
template <typename T>
class SpikeSynapse final : public SynapseBase {
 public:
  SpikeSynapse(const SynapseShape& shape, const Slot& input, std::shared_ptr<const PackedWeights> weights,
               bool odd)
      : SynapseBase(shape, input, std::move(weights)), odd_(odd), zeros_(words_for(shape.inputs) * 8) {}

  [[nodiscard]] size_t lane_bytes(size_t pixels) const noexcept override {
    const size_t rows = pixels * shape_.window.taps();
    return part_bytes(pixels) + align_up(rows * sizeof(uint64_t*)) +
           align_up(copied() ? rows * row_words() * 8 : 0);
  }

  void sums(const Frame& frame, const Tile& tile, void* out, std::byte* lane) const noexcept override {
    T* part = reinterpret_cast<T*>(lane);
    auto** rows = reinterpret_cast<const uint64_t**>(lane + part_bytes(tile.count));
    auto* copies = reinterpret_cast<uint64_t*>(
        reinterpret_cast<std::byte*>(rows) + align_up(tile.count * shape_.window.taps() * sizeof(uint64_t*)));
    for_groups(shape_, tile.count, static_cast<T*>(out), part, [&](size_t g, T* to) noexcept {
      gather_rows(frame, tile, g, rows, copies);
      apply(rows, tile.count, g, to);
    });
  }

 private:
  [[nodiscard]] size_t row_words() const noexcept { return words_for(shape_.inputs); }
  // A group that does not start on a word is copied to one.
  [[nodiscard]] bool copied() const noexcept { return shape_.groups > 1 && shape_.inputs % 64 != 0; }

  void gather_rows(const Frame& frame, const Tile& tile, size_t g, const uint64_t** rows,
                   uint64_t* copies) const noexcept {
    const auto* image = input_.row<uint64_t>(frame, tile.t, tile.n, 0);
    const size_t stride = input_.row_bytes / 8, taps = shape_.window.taps(), first_bit = g * shape_.inputs;
    for (size_t p = 0; p < tile.count; ++p) {
      shape_.window.for_taps(tile.first + p, [&](size_t tap, int64_t pixel) noexcept {
        const size_t i = p * taps + tap;
        if (pixel < 0) {
          rows[i] = zeros_.as<uint64_t>();
        } else if (!copied()) {
          rows[i] = image + static_cast<size_t>(pixel) * stride + first_bit / 64;
        } else {
          extract_bits(image + static_cast<size_t>(pixel) * stride, first_bit, shape_.inputs,
                       copies + i * row_words());
          rows[i] = copies + i * row_words();
        }
      });
    }
  }

  void apply(const uint64_t* const* rows, size_t pixels, size_t g, T* out) const noexcept {
    const size_t cp = shape_.group_padded(), taps = shape_.window.taps(), group = taps * shape_.inputs * cp;
    if constexpr (std::is_same_v<T, int32_t>) {
      kernels().addrows_b1i8_i32(
          rows, pixels,
          {weights_->codes.as<int8_t>() + g * group, shape_.inputs, taps, cp, weights_->max_abs, odd_}, out);
    } else {
      const float* bias = weights_->bias.size() == 0 ? nullptr : weights_->bias.as<float>() + g * cp;
      kernels().addrows_b1f32_f32(
          rows, pixels, {weights_->codes.as<float>() + g * group, shape_.inputs, taps, cp, bias}, out);
    }
  }

  bool odd_;
  AlignedBuffer zeros_;
};

// Pixels and counts: patches of bytes, then the dense byte kernel. Counts above 255 are split into a low and
// a high byte.
class ByteSynapse final : public SynapseBase {
 public:
  ByteSynapse(const SynapseShape& shape, const Slot& input, std::shared_ptr<const PackedWeights> weights,
              bool odd, bool high, std::vector<uint8_t> padding)
      : SynapseBase(shape, input, std::move(weights)),
        odd_(odd),
        high_(high),
        padding_(std::move(padding)),
        zero_init_(shape.group_padded() * sizeof(int32_t)) {}

  [[nodiscard]] size_t lane_bytes(size_t pixels) const noexcept override {
    return part_bytes(pixels) + align_up(pixels * patch_bytes(shape_)) +
           (high_ ? align_up(pixels * shape_.group_padded() * 4) : 0);
  }

  void sums(const Frame& frame, const Tile& tile, void* out, std::byte* lane) const noexcept override {
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
  [[nodiscard]] kernels::ByteWeights weights(size_t g, const int32_t* init) const noexcept {
    const size_t cp = shape_.group_padded(), patch = patch_bytes(shape_);
    return {weights_->codes.as<int8_t>() + g * patch * cp, patch / 4, cp,
            weights_->code_sums.as<int32_t>() + g * cp,    init,      odd_};
  }

  void fill_patches(const Frame& frame, const Tile& tile, size_t g, int shift,
                    uint8_t* patches) const noexcept {
    const size_t bytes = patch_bytes(shape_), used = shape_.window.taps() * shape_.inputs,
                 first = g * shape_.inputs;
    const std::byte* image = input_.row(frame, tile.t, tile.n, 0);
    for (size_t p = 0; p < tile.count; ++p) {
      uint8_t* patch = patches + p * bytes;
      shape_.window.for_taps(tile.first + p, [&](size_t tap, int64_t pixel) noexcept {
        uint8_t* to = patch + tap * shape_.inputs;
        if (pixel < 0) {
          std::memcpy(to, padding_.data() + first, shape_.inputs);
          return;
        }
        const std::byte* row = image + static_cast<size_t>(pixel) * input_.row_bytes;
        if (input_.type == EdgeType::kPixel) {
          std::memcpy(to, row + first, shape_.inputs);
        } else {
          const auto* counts = reinterpret_cast<const uint16_t*>(row) + first;
          for (size_t i = 0; i < shape_.inputs; ++i) to[i] = static_cast<uint8_t>(counts[i] >> shift);
        }
      });
      std::memset(patch + used, 0, bytes - used);
    }
  }

  bool odd_, high_;
  std::vector<uint8_t> padding_;  // one byte per input channel of all groups
  AlignedBuffer zero_init_;
};

// Real values and counts on float weights: patches of floats, then the dense float kernel.
class RealSynapse final : public SynapseBase {
 public:
  RealSynapse(const SynapseShape& shape, const Slot& input, std::shared_ptr<const PackedWeights> weights,
              float divisor)
      : SynapseBase(shape, input, std::move(weights)), divisor_(divisor) {}

  [[nodiscard]] size_t lane_bytes(size_t pixels) const noexcept override {
    return part_bytes(pixels) + align_up(pixels * shape_.window.taps() * shape_.inputs * sizeof(float));
  }

  void sums(const Frame& frame, const Tile& tile, void* out, std::byte* lane) const noexcept override {
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

class StoredSums final : public Synapse {
 public:
  explicit StoredSums(const Slot& slot) : slot_(slot) {}
  [[nodiscard]] bool is_static() const noexcept override { return slot_.is_static(); }
  [[nodiscard]] size_t lane_bytes(size_t) const noexcept override { return 0; }
  void sums(const Frame& frame, const Tile& tile, void* out, std::byte*) const noexcept override {
    std::memcpy(out, slot_.row(frame, tile.t, tile.n, tile.first), tile.count * slot_.row_bytes);
  }

 private:
  Slot slot_;
};

enum class Layout { kRows, kBytes, kFloats };

Layout layout_of(const ops::NodeView& node) {
  if (!node.find("weight")->coded()) return Layout::kFloats;
  return node.inputs[0]->type == EdgeType::kSpike ? Layout::kRows : Layout::kBytes;
}

// Visits every weight of a group: f(tap, input, channel in group, index in the stored order
// [C][taps][inputs]).
template <typename F>
void for_weights(const SynapseShape& s, size_t g, F&& f) {
  const size_t taps = s.window.taps(), gc = s.group_channels();
  for (size_t c = 0; c < gc; ++c) {
    size_t i = (g * gc + c) * taps * s.inputs;
    for (size_t tap = 0; tap < taps; ++tap) {
      for (size_t k = 0; k < s.inputs; ++k, ++i) f(tap, k, c, i);
    }
  }
}

void pack_rows(const tensor::Tensor& w, const SynapseShape& s, PackedWeights& out) {
  const size_t cp = s.group_padded(), group = s.window.taps() * s.inputs * cp;
  out.codes = AlignedBuffer(s.groups * group);
  for (size_t g = 0; g < s.groups; ++g) {
    int8_t* to = out.codes.as<int8_t>() + g * group;
    for_weights(s, g, [&](size_t tap, size_t k, size_t c, size_t i) {
      const int32_t q = tensor::code_at(w, i);
      out.max_abs = std::max(out.max_abs, std::abs(q));
      to[(tap * s.inputs + k) * cp + c] = static_cast<int8_t>(q);
    });
  }
}

void pack_bytes(const tensor::Tensor& w, const SynapseShape& s, const ops::Edge& input, PackedWeights& out) {
  const size_t cp = s.group_padded(), group = patch_bytes(s) * cp;
  const bool odd = w.encoding == tensor::Encoding::kOdd;
  out.codes = AlignedBuffer(s.groups * group);
  out.code_sums = AlignedBuffer(s.groups * cp * sizeof(int32_t));
  out.init = AlignedBuffer(s.groups * cp * sizeof(int32_t));
  for (size_t g = 0; g < s.groups; ++g) {
    int8_t* to = out.codes.as<int8_t>() + g * group;
    int32_t* sums = out.code_sums.as<int32_t>() + g * cp;
    int32_t* init = out.init.as<int32_t>() + g * cp;
    for_weights(s, g, [&](size_t tap, size_t k, size_t c, size_t i) {
      const int32_t q = tensor::code_at(w, i);
      const size_t byte = tap * s.inputs + k;
      to[(byte / 4 * cp + c) * 4 + byte % 4] = static_cast<int8_t>(q);
      sums[c] += q;
      const auto z =
          input.type == EdgeType::kPixel ? static_cast<int32_t>(input.zero_point[g * s.inputs + k]) : 0;
      init[c] -= (odd ? 2 * q + 1 : q) * z;
    });
  }
}

void pack_floats(const ops::NodeView& node, const SynapseShape& s, PackedWeights& out) {
  const auto* w = node.find("weight")->as<float>();
  const size_t cp = s.group_padded(), group = s.window.taps() * s.inputs * cp;
  out.codes = AlignedBuffer(s.groups * group * sizeof(float));
  const tensor::Tensor* bias = node.find("bias");
  if (bias != nullptr) out.bias = AlignedBuffer(s.groups * cp * sizeof(float));
  for (size_t g = 0; g < s.groups; ++g) {
    float* to = out.codes.as<float>() + g * group;
    for_weights(s, g,
                [&](size_t tap, size_t k, size_t c, size_t i) { to[(tap * s.inputs + k) * cp + c] = w[i]; });
    if (bias == nullptr) continue;
    std::copy_n(bias->as<float>() + g * s.group_channels(), s.group_channels(),
                out.bias.as<float>() + g * cp);
  }
}

}  // namespace

SynapseShape synapse_shape(const ops::NodeView& node, const Slot& input) {
  const tensor::Tensor& w = *node.find("weight");
  const Shape& shape = w.coded() ? w.logical : w.shape;
  SynapseShape s;
  s.channels = static_cast<size_t>(shape[0]);
  if (node.node.op == "linear") {
    s.window = Window::whole(input.pixels);
    s.inputs = input.channels;
    return s;
  }
  const auto& stride = node.integers("stride", 2);
  const auto& pad = node.integers("padding", 4);
  const auto& dilation = node.integers("dilation", 2);
  s.groups = static_cast<size_t>(node.integer("groups"));
  s.inputs = static_cast<size_t>(shape[3]);
  const int64_t span_h = dilation[0] * (shape[1] - 1) + 1, span_w = dilation[1] * (shape[2] - 1) + 1;
  const auto h = static_cast<int64_t>(input.height), width = static_cast<int64_t>(input.width);
  s.window = {.in_h = h,
              .in_w = width,
              .out_h = (h + pad[0] + pad[1] - span_h) / stride[0] + 1,
              .out_w = (width + pad[2] + pad[3] - span_w) / stride[1] + 1,
              .kernel_h = shape[1],
              .kernel_w = shape[2],
              .stride_h = stride[0],
              .stride_w = stride[1],
              .pad_top = pad[0],
              .pad_left = pad[2],
              .dilation_h = dilation[0],
              .dilation_w = dilation[1]};
  return s;
}

std::shared_ptr<const PackedWeights> pack_weights(const ops::NodeView& node, const SynapseShape& shape) {
  auto out = std::make_shared<PackedWeights>();
  switch (layout_of(node)) {
    case Layout::kRows:
      pack_rows(*node.find("weight"), shape, *out);
      break;
    case Layout::kBytes:
      pack_bytes(*node.find("weight"), shape, *node.inputs[0], *out);
      break;
    case Layout::kFloats:
      pack_floats(node, shape, *out);
      break;
  }
  return out;
}

std::unique_ptr<Synapse> make_synapse(const ops::NodeView& node, const SynapseShape& shape, const Slot& input,
                                      std::shared_ptr<const PackedWeights> weights) {
  const ops::Edge& edge = *node.inputs[0];
  const bool odd = node.find("weight")->encoding == tensor::Encoding::kOdd;
  switch (layout_of(node)) {
    case Layout::kRows:
      return std::make_unique<SpikeSynapse<int32_t>>(shape, input, std::move(weights), odd);
    case Layout::kBytes: {
      std::vector<uint8_t> padding(shape.inputs * shape.groups, 0);
      for (size_t i = 0; i < padding.size() && edge.type == EdgeType::kPixel; ++i) {
        padding[i] = static_cast<uint8_t>(edge.zero_point[i]);
      }
      const bool high = edge.type == EdgeType::kCount && edge.hi > 255;
      return std::make_unique<ByteSynapse>(shape, input, std::move(weights), odd, high, std::move(padding));
    }
    case Layout::kFloats:
      break;
  }
  if (edge.type == EdgeType::kSpike)
    return std::make_unique<SpikeSynapse<float>>(shape, input, std::move(weights), false);
  return std::make_unique<RealSynapse>(shape, input, std::move(weights), static_cast<float>(edge.divisor));
}

std::unique_ptr<Synapse> stored_sums(const Slot& slot) { return std::make_unique<StoredSums>(slot); }

}  // namespace snncore::runtime
