// Weights as the kernels read them.
#include <algorithm>

#include "runtime/pack.h"

namespace snncore::runtime {
namespace {

using ops::EdgeType;

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
  const size_t cp = s.group_padded(), rows = s.window.taps() * s.inputs;
  out.codes = AlignedBuffer(s.groups * rows * cp * sizeof(float));
  const tensor::Tensor* bias = node.find("bias");
  if (bias != nullptr) out.bias = AlignedBuffer(s.groups * cp * sizeof(float));
  for (size_t g = 0; g < s.groups; ++g) {
    float* to = out.codes.as<float>() + g * rows * cp;
    for_weights(s, g, [&](size_t tap, size_t k, size_t c, size_t i) {
      to[kernels::row_weight<kernels::kFloatBlock>(tap * s.inputs + k, c, rows, cp)] = w[i];
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
      break;
    case Layout::kFloats:
      pack_floats(node, shape, *out);
      break;
  }
  return out;
}

}  // namespace snncore::runtime
