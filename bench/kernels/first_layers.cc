// First layers, whose inputs are bytes or real numbers.
#include "work.h"

namespace snncore::bench {

using namespace kernels;

namespace {

// The first layer: 27 input bytes, 32 channels, 1024 pixels.
Work first_layer() {
  constexpr size_t kPixels = 1024, kGroups = 7, kOutputs = 32;
  auto codes = random_values<int8_t>(kGroups * 4 * kOutputs, -128, 127);
  auto x = random_values<uint8_t>(kPixels * kGroups * 4, 0, 255);
  auto zeros = std::make_shared<AlignedBuffer>(kOutputs * sizeof(int32_t));
  auto sums = std::make_shared<AlignedBuffer>(kTilePixels * kOutputs * sizeof(int32_t));
  return {"gemm_u8i8_i32/27->32x1024", kPixels * (kGroups * 4.0 + kOutputs * 4.0), kPixels * 27.0 * kOutputs,
          [=](const KernelTable& k) {
            const auto* constants = zeros->as<int32_t>();
            const ByteWeights w{codes->as<int8_t>(), kGroups, kOutputs, constants, constants, true};
            for (size_t p = 0; p < kPixels; p += kTilePixels) {
              k.gemm_u8i8_i32(x->as<uint8_t>() + p * kGroups * 4, kTilePixels, w, sums->as<int32_t>());
            }
          },
          "dot_u8i8"};
}

Work first_float_layer() {
  constexpr size_t kPixels = 1024, kInputs = 27, kOutputs = 32;
  auto values = random_values<float>(kInputs * kOutputs, -100, 100);
  auto x = random_values<float>(kPixels * kInputs, 0, 255);
  auto out = std::make_shared<AlignedBuffer>(kTilePixels * kOutputs * sizeof(float));
  return {"gemm_f32f32_f32/27->32x1024", kPixels * (kInputs + kOutputs) * 4.0, kPixels * 27.0 * kOutputs,
          [=](const KernelTable& k) {
            const FloatWeights w{values->as<float>(), kInputs, 1, kOutputs, nullptr};
            for (size_t p = 0; p < kPixels; p += kTilePixels) {
              k.gemm_f32f32_f32(x->as<float>() + p * kInputs, kTilePixels, w, out->as<float>());
            }
          }};
}

}  // namespace

void add_first_layers(std::vector<Work>& work) {
  work.push_back(first_layer());
  work.push_back(first_float_layer());
}

}  // namespace snncore::bench
