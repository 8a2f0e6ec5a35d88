// Sums of 3 x 3 convolutions on spikes: gathered rows, counted bits, streams of the weights that are not
// zero, sums looked up, float32 weights.
#include <array>

#include "base/bits.h"
#include "frames.h"
#include "kernels/row_bounds.h"
#include "work.h"

namespace snncore::bench {

using namespace kernels;

Work gather(const Layer& layer, int32_t max_abs, const char* kind, double density) {
  auto spikes = std::make_shared<SpikeTiles>(layer, density);
  auto codes = random_values<int8_t>(CodeParts{layer.inputs, 9, layer.outputs}.rows() * layer.outputs,
                                     -max_abs, max_abs - 1);
  auto bounds =
      std::make_shared<AlignedBuffer>(row_bounds(layer.inputs, 9, layer.outputs) * sizeof(uint16_t));
  fill_row_bounds(codes->as<int8_t>(), layer.inputs, 9, layer.outputs, bounds->as<uint16_t>());
  auto sums = std::make_shared<AlignedBuffer>(kRasterPixels * layer.outputs * sizeof(int32_t));
  const double outputs = static_cast<double>(layer.outputs), pixels = static_cast<double>(layer.pixels());
  return {layer.name("addrows_b1i8_i32", kind) + percent(density),
          spikes->events() * outputs + pixels * outputs * 4, spikes->events() * outputs,
          [=](const KernelTable& k) {
            const RowWeights w{
                codes->as<int8_t>(), bounds->as<uint16_t>(), layer.inputs, 9, layer.outputs, max_abs, true};
            spikes->for_each([&](const SpikeTile& tile, std::byte* scratch) {
              k.addrows_b1i8_i32(tile, w, sums->as<int32_t>(), scratch);
            });
          },
          "byte_add"};
}

// Patches of a tile after the other, as a session reads them. Any words do for timing, prepared or not.
Work count(const Layer& layer) {
  constexpr size_t kPatches = 64;
  const size_t words = patch_words(layer.inputs, 9);
  auto patches = random_values<uint32_t>(layer.pixels() * words, INT32_MIN / 2, INT32_MAX / 2);
  auto plus = random_values<uint32_t>(words * layer.outputs, INT32_MIN / 2, INT32_MAX / 2);
  auto ones = random_values<int32_t>(layer.outputs, 0, INT32_MAX / 2);
  auto sums = std::make_shared<AlignedBuffer>(kPatches * layer.outputs * sizeof(int32_t));
  const double counted = static_cast<double>(layer.pixels()) * static_cast<double>(words * layer.outputs);
  return {
      layer.name("count_b1b1_i32", ""), counted * 4, counted * 32,
      [=](const KernelTable& k) {
        const BitWeights w{plus->as<uint32_t>(), ones->as<int32_t>(), words, layer.outputs, layer.outputs};
        for (size_t p = 0; p < layer.pixels(); p += kPatches) {
          const Patches some{patches->as<uint32_t>() + p * words, std::min(kPatches, layer.pixels() - p)};
          k.count_b1b1_i32(some, w, sums->as<int32_t>());
        }
      },
      "and_popcount"};
}

SparseCodes pruned_codes(const Layer& layer, int32_t max_abs, int32_t one_in) {
  std::vector<int8_t> codes(layer.weights());
  for (int8_t& q : codes) {
    if (random_in(1, one_in) == 1) q = static_cast<int8_t>(random_in(-max_abs, max_abs - 1));
  }
  return sparse_codes(codes.data(), layer.outputs, 9, layer.inputs);
}

namespace {

// Of kernels without columns, and with them.
std::shared_ptr<const std::array<SpikeRasters, 2>> rasters(const Layer& layer) {
  return std::make_shared<const std::array<SpikeRasters, 2>>(
      std::array{SpikeRasters(layer, 0.5, false), SpikeRasters(layer, 0.5, true)});
}

}  // namespace

Work sparse(const Layer& layer, SparseCodes codes, const char* kind) {
  const auto spikes = rasters(layer);
  auto packed = std::make_shared<SparseCodes>(std::move(codes));
  auto sums = std::make_shared<AlignedBuffer>(kRasterPixels * layer.outputs * sizeof(int32_t));
  const double operations = static_cast<double>(layer.pixels() * packed->codes.size());
  return {layer.name("sparse_b1i8_i32", kind), operations, operations,
          [=](const KernelTable& k) {
            (*spikes)[k.columns ? 1 : 0].for_each([&](const SpikeRaster& tile, std::byte* scratch) {
              k.sparse_b1i8_i32(tile, packed->view(), sums->as<int32_t>(), scratch);
            });
          },
          "byte_add"};
}

LutCodes random_tables(const Layer& layer, int32_t max_abs, size_t width) {
  std::vector<int8_t> weights(layer.weights());
  for (int8_t& w : weights) w = static_cast<int8_t>(random_in(-max_abs, max_abs - 1));
  return lut_codes(weights.data(), layer.outputs, 9, layer.inputs, width);
}

Work look_up(const Layer& layer, int32_t max_abs, const char* kind) {
  const auto spikes = rasters(layer);
  const auto fours = std::make_shared<const LutCodes>(random_tables(layer, max_abs, 4)),
             sixes = std::make_shared<const LutCodes>(random_tables(layer, max_abs, 6));
  auto sums = std::make_shared<AlignedBuffer>(kRasterPixels * layer.outputs * sizeof(int32_t));
  const double operations = static_cast<double>(layer.pixels() * layer.weights());
  return {layer.name("lut_b1i4_i32", kind), operations * 4, operations, [=](const KernelTable& k) {
            const LutWeights w = (k.lut_width == 4 ? fours : sixes)->view();
            (*spikes)[k.columns ? 1 : 0].for_each([&](const SpikeRaster& tile, std::byte* scratch) {
              k.lut_b1i4_i32(tile, w, sums->as<int32_t>(), scratch);
            });
          }};
}

Work dense(const Layer& layer) {
  auto spikes = std::make_shared<SpikeRasters>(layer, 0.5, false);
  auto weights = random_values<int8_t>(dense_bytes(layer.inputs, 9, 3, layer.outputs), -8, 7);
  auto sums = std::make_shared<AlignedBuffer>(spikes->pixels() * layer.outputs * sizeof(int32_t));
  const double operations = static_cast<double>(layer.pixels() * layer.weights());
  return {layer.name("gemm_b1i8_i32", ""), operations, operations,
          [=](const KernelTable& k) {
            const DenseWeights w{weights->as<int8_t>(), layer.inputs, 9, 3, layer.outputs};
            spikes->for_each([&](const SpikeRaster& tile, std::byte* scratch) {
              k.gemm_b1i8_i32(tile, w, sums->as<int32_t>(), scratch);
            });
          },
          "dot_u8i8"};
}

namespace {

Work gather_float(const Layer& layer, double density) {
  auto spikes = std::make_shared<SpikeTiles>(layer, density);
  auto values = random_values<float>(9 * layer.inputs * layer.outputs, -100, 100);
  auto out = std::make_shared<AlignedBuffer>(kRasterPixels * layer.outputs * sizeof(float));
  const double outputs = static_cast<double>(layer.outputs), pixels = static_cast<double>(layer.pixels());
  return {layer.name("addrows_b1f32_f32", "") + percent(density), (spikes->events() + pixels) * outputs * 4,
          spikes->events() * outputs, [=](const KernelTable& k) {
            const FloatWeights w{values->as<float>(), layer.inputs, 9, layer.outputs, nullptr};
            spikes->for_each([&](const SpikeTile& tile, std::byte* scratch) {
              k.addrows_b1f32_f32(tile, w, out->as<float>(), scratch);
            });
          }};
}

}  // namespace

void add_convolutions(std::vector<Work>& work) {
  const Layer layers[] = {
      {32, 32, 32, 32}, {16, 16, 64, 64}, {8, 8, 128, 128}, {32, 32, 128, 128}, {16, 16, 256, 256}};
  for (const Layer& layer : layers) {
    for (const double density : {0.1, 0.2, 0.5}) {
      work.push_back(gather(layer, 1, "/1bit", density));
      work.push_back(gather(layer, 8, "/4bit", density));
      work.push_back(gather(layer, 128, "/8bit", density));
      work.push_back(gather_float(layer, density));
    }
    work.push_back(count(layer));
    work.push_back(dense(layer));
    work.push_back(look_up(layer, 1, "/1bit"));
    work.push_back(look_up(layer, 8, "/4bit"));
    for (const int32_t one_in : {20, 10, 5}) {
      const std::string share = percent(1.0 / one_in);
      work.push_back(sparse(layer, pruned_codes(layer, 8, one_in), ("/4bit" + share).c_str()));
      work.push_back(sparse(layer, pruned_codes(layer, 128, one_in), ("/8bit" + share).c_str()));
    }
  }
}

}  // namespace snncore::bench
