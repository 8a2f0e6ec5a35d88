// Weights as the kernels read them.
#include <algorithm>
#include <cstdlib>

#include "kernels/row_bounds.h"
#include "runtime/synapse_base.h"

namespace snncore::runtime {
namespace {

using ops::EdgeType;

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
  const size_t cp = s.group_padded(), rows = kernels::code_rows(s.inputs, s.window.taps());
  out.codes = AlignedBuffer(s.groups * rows * cp);
  for (size_t g = 0; g < s.groups; ++g) {
    int8_t* to = out.codes.as<int8_t>() + g * rows * cp;
    for_weights(s, g, [&](size_t tap, size_t k, size_t c, size_t i) {
      const int32_t q = tensor::code_at(w, i);
      out.max_abs = std::max(out.max_abs, std::abs(q));
      to[kernels::row_weight<kernels::kCodeBlock>(kernels::code_row(tap, k, s.inputs), c, rows, cp)] =
          static_cast<int8_t>(q);
    });
  }
  const size_t group_bounds = kernels::row_bounds(s.inputs, s.window.taps(), cp);
  out.bounds = AlignedBuffer(s.groups * group_bounds * sizeof(uint16_t));
  for (size_t g = 0; g < s.groups; ++g) {
    kernels::fill_row_bounds(out.codes.as<int8_t>() + g * rows * cp, s.inputs, s.window.taps(), cp,
                             out.bounds.as<uint16_t>() + g * group_bounds);
  }
}

// Pruned weights a second time, without the zeros: where that is the faster way from a quarter of spikes on.
void pack_sparse(const tensor::Tensor& w, const SynapseShape& s, PackedWeights& out) {
  constexpr float kSpikes = 0.25F;
  if (w.encoding == tensor::Encoding::kOdd) return;
  const size_t group = s.group_channels() * s.window.taps() * s.inputs;
  size_t kept = 0;
  for (size_t i = 0; i < s.groups * group; ++i) kept += tensor::code_at(w, i) != 0 ? 1 : 0;
  const float share = static_cast<float>(kept) / static_cast<float>(s.groups * group);
  if (share * kernels::kernels().sparse_cost > kSpikes) return;
  std::vector<int8_t> codes(group);
  for (size_t g = 0; g < s.groups; ++g) {
    for (size_t i = 0; i < group; ++i) codes[i] = static_cast<int8_t>(tensor::code_at(w, g * group + i));
    out.sparse.push_back(kernels::sparse_codes(codes.data(), s.group_channels(), s.window.taps(), s.inputs));
  }
}

// Weights of +1 and -1 a second time, for counting.
void pack_bits(const tensor::Tensor& w, const SynapseShape& s, PackedWeights& out) {
  const size_t words = (s.inputs + 31) / 32, group = s.group_padded() * s.window.taps() * words;
  constexpr size_t kPad = kernels::kChannelPad;
  out.plus = AlignedBuffer(s.groups * group * sizeof(uint32_t));
  for (size_t g = 0; g < s.groups; ++g) {
    uint32_t* to = out.plus.as<uint32_t>() + g * group;
    for_weights(s, g, [&](size_t tap, size_t k, size_t c, size_t i) {
      const size_t at = ((c / kPad * s.window.taps() + tap) * words + k / 32) * kPad + c % kPad;
      if (tensor::code_at(w, i) == 0) to[at] |= uint32_t{1} << (k % 32);
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

// Codes 0 and -1 that mean +1 and -1.
bool is_binary(const tensor::Tensor& w) { return w.encoding == tensor::Encoding::kOdd && w.bits == 1; }

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
      pack_rows(*node.find("weight"), shape, *out);
      pack_sparse(*node.find("weight"), shape, *out);
      if (is_binary(*node.find("weight"))) pack_bits(*node.find("weight"), shape, *out);
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
