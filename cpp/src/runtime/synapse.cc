#include "runtime/synapse.h"

#include <cstring>
#include <utility>

#include "runtime/synapse_base.h"

namespace snncore::runtime {
namespace {

using ops::EdgeType;

class StoredSums final : public Synapse {
 public:
  explicit StoredSums(const Slot& slot) : slot_(slot) {}
  [[nodiscard]] bool is_static() const noexcept override { return slot_.is_static(); }
  [[nodiscard]] size_t lane_bytes(size_t, size_t) const noexcept override { return 0; }
  [[nodiscard]] Rows stored(const Frame& frame, const Tile& tile) const noexcept override {
    return {slot_.row<int32_t>(frame, tile.t, tile.n, tile.first),
            slot_.is_static() ? 0 : slot_.step_bytes() / sizeof(int32_t)};
  }
  void sums(const Frame& frame, const Tile& tile, void* out, std::byte*) const noexcept override {
    const size_t bytes = tile.count * slot_.row_bytes;
    for (size_t t = 0; t < tile.steps; ++t) {
      std::memcpy(static_cast<std::byte*>(out) + t * bytes, slot_.row(frame, tile.t + t, tile.n, tile.first),
                  bytes);
    }
  }

 private:
  Slot slot_;
};

class RealSums final : public Synapse {
 public:
  RealSums(std::unique_ptr<Synapse> sums, size_t channels)
      : sums_(std::move(sums)), padded_(kernels::pad_channels(channels)) {}
  [[nodiscard]] bool is_static() const noexcept override { return sums_->is_static(); }
  [[nodiscard]] size_t lane_bytes(size_t pixels, size_t steps) const noexcept override {
    return sums_->lane_bytes(pixels, steps);
  }
  [[nodiscard]] TileSize good_tile() const noexcept override { return sums_->good_tile(); }
  void sums(const Frame& frame, const Tile& tile, void* out, std::byte* lane) const noexcept override {
    sums_->sums(frame, tile, out, lane);
    auto* values = static_cast<std::byte*>(out);
    for (size_t i = 0; i < tile.steps * tile.count * padded_; ++i, values += sizeof(int32_t)) {
      int32_t sum;
      std::memcpy(&sum, values, sizeof(sum));
      const auto real = static_cast<float>(sum);
      std::memcpy(values, &real, sizeof(real));
    }
  }

 private:
  std::unique_ptr<Synapse> sums_;
  size_t padded_;
};

}  // namespace

Layout layout_of(const ops::NodeView& node) {
  if (!node.find("weight")->coded() || node.inputs[0]->type == EdgeType::kReal) return Layout::kFloats;
  return node.inputs[0]->type == EdgeType::kSpike || has_planes(node) ? Layout::kRows : Layout::kBytes;
}

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

std::unique_ptr<Synapse> make_synapse(const ops::NodeView& node, const SynapseShape& shape, const Slot& input,
                                      std::shared_ptr<const PackedWeights> weights, const Slot* gate) {
  if (has_planes(node)) return count_synapse(node, shape, input, std::move(weights));
  if (node.inputs[0]->type != EdgeType::kSpike) return dense_synapse(node, shape, input, std::move(weights));
  if (layout_of(node) == Layout::kFloats) return spike_float_synapse(shape, input, std::move(weights));
  const bool odd = node.find("weight")->encoding == tensor::Encoding::kOdd;
  return spike_synapse(shape, input, std::move(weights), odd, gate);
}

std::unique_ptr<Synapse> stored_sums(const Slot& slot) { return std::make_unique<StoredSums>(slot); }

std::unique_ptr<Synapse> real_sums(std::unique_ptr<Synapse> sums, size_t channels) {
  return std::make_unique<RealSums>(std::move(sums), channels);
}

}  // namespace snncore::runtime
