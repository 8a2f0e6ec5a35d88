// Weights as the kernels read them.
#include <algorithm>

#include "kernels/table.h"
#include "runtime/pack.h"

namespace snncore::runtime {
namespace {

using ops::EdgeType;

// Is the input an image of few channels, and are the weights bytes that a line's places take in order? A
// network's samples with more output channels fill rows.
bool fits_lines(const ops::NodeView& node, const SynapseShape& s) {
  const Window& w = s.window;
  return kernels::kernels().lanes && node.inputs[0]->type == EdgeType::kPixel && s.groups == 1 &&
         s.inputs <= kernels::kLineBytes && s.channels <= kMostLineChannels && w.stride_w == 1 &&
         w.dilation_w == 1 && static_cast<size_t>(w.kernel_h) * line_groups(s) <= kernels::kLineGroups &&
         node.find("weight")->encoding != tensor::Encoding::kOdd;
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

// The same for lines of pixels, in groups of four for each line of the window.
void pack_lines(const tensor::Tensor& w, const SynapseShape& s, PackedWeights& out) {
  const size_t line = static_cast<size_t>(s.window.kernel_w) * s.inputs, bytes = line_groups(s) * 4;
  out.lines = AlignedBuffer(s.channels * static_cast<size_t>(s.window.kernel_h) * bytes);
  for_weights(s, 0, [&](size_t tap, size_t k, size_t c, size_t i) {
    const size_t byte = tap * s.inputs + k, row = c * static_cast<size_t>(s.window.kernel_h) + byte / line;
    out.lines.as<int8_t>()[row * bytes + byte % line] = static_cast<int8_t>(tensor::code_at(w, i));
  });
}

// Float weights, and the real ones of codes, which those that meet real values stand for.
class RealWeights {
 public:
  explicit RealWeights(const ops::NodeView& node)
      : weight_(*node.find("weight")), scale_(node.find("scale")) {}
  // Of output channel c, with index i in the stored order.
  [[nodiscard]] float at(size_t c, size_t i) const noexcept {
    if (scale_ == nullptr) return weight_.as<float>()[i];
    const int32_t q = tensor::code_at(weight_, i);
    const int32_t m = weight_.encoding == tensor::Encoding::kOdd ? 2 * q + 1 : q;
    return static_cast<float>(scale_->as<double>()[scale_->shape[0] == 1 ? 0 : c] * m);
  }

 private:
  const tensor::Tensor& weight_;
  const tensor::Tensor* scale_;  // null: no codes
};

void pack_floats(const ops::NodeView& node, const SynapseShape& s, PackedWeights& out) {
  const RealWeights w(node);
  const size_t cp = s.group_padded(), rows = s.window.taps() * s.inputs;
  out.codes = AlignedBuffer(s.groups * rows * cp * sizeof(float));
  const tensor::Tensor* bias = node.find("bias");
  if (bias != nullptr) out.bias = AlignedBuffer(s.groups * cp * sizeof(float));
  for (size_t g = 0; g < s.groups; ++g) {
    float* to = out.codes.as<float>() + g * rows * cp;
    for_weights(s, g, [&](size_t tap, size_t k, size_t c, size_t i) {
      to[kernels::row_weight<kernels::kFloatBlock>(tap * s.inputs + k, c, rows, cp)] =
          w.at(g * s.group_channels() + c, i);
    });
    if (bias == nullptr) continue;
    std::copy_n(bias->as<float>() + g * s.group_channels(), s.group_channels(),
                out.bias.as<float>() + g * cp);
  }
}

}  // namespace

std::shared_ptr<const PackedWeights> pack_weights(const ops::NodeView& node, const SynapseShape& shape) {
  auto out = std::make_shared<PackedWeights>();
  switch (layout_of(node)) {
    case Layout::kRows:
      pack_spike_weights(*node.find("weight"), shape, *out);
      break;
    case Layout::kBytes:
      pack_bytes(*node.find("weight"), shape, *node.inputs[0], *out);
      if (fits_lines(node, shape)) pack_lines(*node.find("weight"), shape, *out);
      break;
    case Layout::kFloats:
      pack_floats(node, shape, *out);
      break;
  }
  return out;
}

}  // namespace snncore::runtime
