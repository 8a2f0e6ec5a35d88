// Times single kernels on the layers of small convolutional networks, in thread CPU time: best and median
// of 7.
//   bench_kernels [--filter TEXT] [--isa avx2,scalar] [--json | --costs]
// --costs prints the table of costs by which a session chooses between gathering and counting.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/align.h"
#include "base/bits.h"
#include "kernels/row_bounds.h"
#include "kernels/sparse_codes.h"
#include "kernels/table.h"
#include "machine.h"
#include "ops/attention.h"

namespace {

using namespace snncore::kernels;
using snncore::AlignedBuffer;
using snncore::words_for;
using snncore::bench::cpu_name;
using snncore::bench::cpu_ns;
using snncore::bench::emulated;

uint64_t random_state = 1;

uint64_t next_random() {
  uint64_t z = (random_state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

int32_t random_in(int32_t lo, int32_t hi) {
  return lo + static_cast<int32_t>(next_random() % static_cast<uint64_t>(hi - lo + 1));
}

struct Work {
  std::string name;
  double bytes = 0;  // read and written by the kernel's own loops, cache or not
  double operations =
      0;  // synaptic operations: one spike or input byte at one output channel; or neuron steps
  std::function<void(const KernelTable&)> run;
};

struct Layer {
  size_t height, width, inputs, outputs;
};

constexpr size_t kSteps = 2;
constexpr size_t kTilePixels = 16;
constexpr size_t kRasterPixels = 256;

/// The packed frames of a 3 x 3 convolution with padding 1, cut into tiles as a session cuts them.
class Spikes {
 public:
  Spikes(const Layer& l, double density)
      : words_(words_for(l.inputs)), bits_((kSteps * l.height * l.width + 1) * words_ * sizeof(uint64_t)) {
    const size_t pixels = kSteps * l.height * l.width;
    const auto threshold = static_cast<uint64_t>(density * 0x1p32);
    for (size_t p = 0; p < pixels; ++p) {
      for (size_t i = 0; i < l.inputs; ++i) {
        if ((next_random() >> 32) < threshold) snncore::set_bit(row(p), i);
      }
    }
    for (size_t p = 0; p < pixels; p += kTilePixels) add_tile(l, p);
    size_t most = 0;
    for (const Tile& t : tiles_) most = std::max(most, t.rows.size());
    scratch_ = AlignedBuffer(addrows_scratch(most, l.inputs, kTilePixels));
  }

  template <typename F>
  void for_tiles(F&& f) const {
    for (const Tile& t : tiles_) {
      f(SpikeTile{t.rows.data(), t.rows.size(), t.index.data(), kTilePixels}, scratch_.as<std::byte>());
    }
  }
  [[nodiscard]] double events() const { return events_; }

 private:
  struct Tile {
    std::vector<const uint64_t*> rows;
    std::vector<uint32_t> index;
  };

  [[nodiscard]] uint64_t* row(size_t p) const { return bits_.as<uint64_t>() + p * words_; }

  void add_tile(const Layer& l, size_t first) {
    Tile tile;
    for (size_t p = first; p < first + kTilePixels; ++p) {
      for (size_t tap = 0; tap < 9; ++tap) {
        const uint64_t* found = source(l, p, tap);
        const auto known = std::find(tile.rows.begin(), tile.rows.end(), found);
        tile.index.push_back(static_cast<uint32_t>(known - tile.rows.begin()));
        if (known == tile.rows.end()) tile.rows.push_back(found);
        for (size_t i = 0; i < words_; ++i) events_ += __builtin_popcountll(found[i]);
      }
    }
    tiles_.push_back(std::move(tile));
  }

  [[nodiscard]] const uint64_t* source(const Layer& l, size_t p, size_t tap) const {
    const size_t frame = l.height * l.width, y = p % frame / l.width + tap / 3, x = p % l.width + tap % 3;
    if (y < 1 || x < 1 || y > l.height || x > l.width) return row(kSteps * frame);
    return row(p / frame * frame + (y - 1) * l.width + x - 1);
  }

  size_t words_;
  AlignedBuffer bits_, scratch_;
  std::vector<Tile> tiles_;
  double events_ = 0;
};

std::string layer_name(const char* kernel, const Layer& l, const char* kind) {
  return std::string(kernel) + "/conv3x3_" + std::to_string(l.height) + "x" + std::to_string(l.width) + "x" +
         std::to_string(l.inputs) + "->" + std::to_string(l.outputs) + kind;
}

template <typename T>
std::shared_ptr<AlignedBuffer> random_values(size_t count, int32_t lo, int32_t hi) {
  auto buffer = std::make_shared<AlignedBuffer>(count * sizeof(T));
  for (size_t i = 0; i < count; ++i) buffer->as<T>()[i] = static_cast<T>(random_in(lo, hi));
  return buffer;
}

std::string percent(double density) { return "/" + std::to_string(std::lround(density * 100)) + "%"; }

Work gather(const Layer& l, int32_t max_abs, const char* kind, double density) {
  auto spikes = std::make_shared<Spikes>(l, density);
  auto codes = random_values<int8_t>(code_rows(l.inputs, 9) * l.outputs, -max_abs, max_abs - 1);
  auto bounds = std::make_shared<AlignedBuffer>(row_bounds(l.inputs, 9, l.outputs) * sizeof(uint16_t));
  fill_row_bounds(codes->as<int8_t>(), l.inputs, 9, l.outputs, bounds->as<uint16_t>());
  auto sums = std::make_shared<AlignedBuffer>(kTilePixels * l.outputs * sizeof(int32_t));
  const double outputs = static_cast<double>(l.outputs),
               pixels = static_cast<double>(kSteps * l.height * l.width);
  return {layer_name("addrows_b1i8_i32", l, kind) + percent(density),
          spikes->events() * outputs + pixels * outputs * 4, spikes->events() * outputs,
          [=](const KernelTable& k) {
            const RowWeights w{
                codes->as<int8_t>(), bounds->as<uint16_t>(), l.inputs, 9, l.outputs, max_abs, true};
            spikes->for_tiles([&](const SpikeTile& tile, std::byte* scratch) {
              k.addrows_b1i8_i32(tile, w, sums->as<int32_t>(), scratch);
            });
          }};
}

Work count(const Layer& l) {
  auto spikes = std::make_shared<Spikes>(l, 0.5);
  const size_t words = 9 * ((l.inputs + 31) / 32) * l.outputs;
  auto plus = random_values<uint32_t>(words, INT32_MIN / 2, INT32_MAX / 2);
  auto sums = std::make_shared<AlignedBuffer>(kTilePixels * l.outputs * sizeof(int32_t));
  const auto pixels = static_cast<double>(kSteps * l.height * l.width), weights = static_cast<double>(words);
  return {layer_name("count_b1b1_i32", l, ""), pixels * weights * 4, pixels * weights * 32,
          [=](const KernelTable& k) {
            const BitWeights w{plus->as<uint32_t>(), l.inputs, 9, l.outputs, l.outputs};
            spikes->for_tiles([&](const SpikeTile& tile, std::byte* scratch) {
              k.count_b1b1_i32(tile, w, sums->as<int32_t>(), scratch);
            });
          }};
}

/// The same frames as rasters: tiles of whole lines, all steps, with their border.
class Rasters {
 public:
  Rasters(const Layer& l, double density)
      : words_(words_for(l.inputs)), bits_((kSteps * l.height * l.width + 1) * words_ * sizeof(uint64_t)) {
    const auto threshold = static_cast<uint64_t>(density * 0x1p32);
    for (size_t p = 0; p < kSteps * l.height * l.width; ++p) {
      for (size_t i = 0; i < l.inputs; ++i) {
        if ((next_random() >> 32) < threshold) snncore::set_bit(row(p), i);
      }
    }
    const size_t lines = std::min(l.height, kRasterPixels / kSteps / l.width), pitch = l.width + 2;
    for (size_t tap = 0; tap < 9; ++tap) offsets_.push_back(static_cast<uint32_t>(tap / 3 * pitch + tap % 3));
    for (size_t t = 0; t < kSteps; ++t) {
      for (size_t y = 0; y < lines; ++y) {
        for (size_t x = 0; x < l.width; ++x)
          places_.push_back(static_cast<uint32_t>((t * (lines + 2) + y) * pitch + x));
      }
    }
    for (size_t first = 0; first < l.height; first += lines) add_tile(l, first, lines + 2);
    scratch_ = AlignedBuffer(sparse_scratch(tiles_.front().size(), l.inputs, 9));
  }

  template <typename F>
  void for_tiles(F&& f) const {
    for (const auto& rows : tiles_) {
      f(SpikeRaster{rows.data(), rows.size(), places_.data(), offsets_.data(), places_.size()},
        scratch_.as<std::byte>());
    }
  }
  [[nodiscard]] size_t pixels() const { return places_.size(); }

 private:
  [[nodiscard]] uint64_t* row(size_t p) const { return bits_.as<uint64_t>() + p * words_; }

  void add_tile(const Layer& l, size_t first, size_t lines) {
    auto& rows = tiles_.emplace_back();
    for (size_t t = 0; t < kSteps; ++t) {
      for (size_t y = first; y < first + lines; ++y) {
        for (size_t x = 0; x < l.width + 2; ++x) {
          const bool inside = y > 0 && x > 0 && y <= l.height && x <= l.width;
          rows.push_back(
              row(inside ? (t * l.height + y - 1) * l.width + x - 1 : kSteps * l.height * l.width));
        }
      }
    }
  }

  size_t words_;
  AlignedBuffer bits_, scratch_;
  std::vector<std::vector<const uint64_t*>> tiles_;
  std::vector<uint32_t> places_, offsets_;
};

// One weight in `one_in` is not zero.
Work sparse(const Layer& l, int32_t max_abs, const char* kind, int32_t one_in) {
  auto spikes = std::make_shared<Rasters>(l, 0.5);
  std::vector<int8_t> codes(9 * l.inputs * l.outputs);
  for (int8_t& q : codes) {
    if (random_in(1, one_in) == 1) q = static_cast<int8_t>(random_in(-max_abs, max_abs - 1));
  }
  auto packed = std::make_shared<SparseCodes>(sparse_codes(codes.data(), l.outputs, 9, l.inputs));
  auto sums = std::make_shared<AlignedBuffer>(spikes->pixels() * l.outputs * sizeof(int32_t));
  const auto pixels = static_cast<double>(kSteps * l.height * l.width);
  const double operations = pixels * static_cast<double>(packed->codes.size());
  return {layer_name("sparse_b1i8_i32", l, kind) + percent(1.0 / one_in), operations, operations,
          [=](const KernelTable& k) {
            spikes->for_tiles([&](const SpikeRaster& tile, std::byte* scratch) {
              k.sparse_b1i8_i32(tile, packed->view(), sums->as<int32_t>(), scratch);
            });
          }};
}

Work gather_float(const Layer& l, double density) {
  auto spikes = std::make_shared<Spikes>(l, density);
  auto values = random_values<float>(9 * l.inputs * l.outputs, -100, 100);
  auto out = std::make_shared<AlignedBuffer>(kTilePixels * l.outputs * sizeof(float));
  const double outputs = static_cast<double>(l.outputs),
               pixels = static_cast<double>(kSteps * l.height * l.width);
  return {layer_name("addrows_b1f32_f32", l, "") + percent(density),
          (spikes->events() + pixels) * outputs * 4, spikes->events() * outputs, [=](const KernelTable& k) {
            const FloatWeights w{values->as<float>(), l.inputs, 9, l.outputs, nullptr};
            spikes->for_tiles([&](const SpikeTile& tile, std::byte* scratch) {
              k.addrows_b1f32_f32(tile, w, out->as<float>(), scratch);
            });
          }};
}

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
          }};
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

struct NeuronTile {
  size_t pixels, channels;
  [[nodiscard]] size_t values() const { return kSteps * kTilePixels * channels; }
  [[nodiscard]] double steps() const { return static_cast<double>(kSteps * pixels * channels); }
  [[nodiscard]] std::string name(const char* kernel) const {
    return std::string(kernel) + "/" + std::to_string(pixels) + "x" + std::to_string(channels) + "xT2";
  }
};

using LifKernel = void (*KernelTable::*)(const LifTile&);

Work lif(const char* name, LifKernel kernel, const NeuronTile& n) {
  auto sums = random_values<int32_t>(n.values(), -400, 400);
  auto constants = std::make_shared<AlignedBuffer>(4 * n.channels * sizeof(int32_t));
  auto out = std::make_shared<AlignedBuffer>(kSteps * kTilePixels * words_for(n.channels) * sizeof(uint64_t));
  auto* const m = constants->as<int32_t>();
  for (size_t c = 0; c < n.channels; ++c) {
    m[c] = 20000;
    m[n.channels + c] = 4096;      // c
    m[2 * n.channels + c] = 13;    // n
    m[3 * n.channels + c] = 4096;  // theta
  }
  return {n.name(name), n.steps() * 4.125, n.steps(), [=](const KernelTable& k) {
            LifTile t{};
            t.sums = sums->as<int32_t>();
            t.sums_t_stride = kTilePixels * n.channels;
            t.m = constants->as<int32_t>();
            t.c = t.m + n.channels;
            t.n = t.c + n.channels;
            t.theta = t.n + n.channels;
            t.leak = Leak::kQ15;
            t.leak_param = 16384;
            t.steps = kSteps;
            t.pixels = kTilePixels;
            t.channels = t.channels_padded = n.channels;
            t.out = out->as<uint64_t>();
            t.out_stride = words_for(n.channels);
            t.out_t_stride = kTilePixels * t.out_stride;
            for (size_t p = 0; p < n.pixels; p += kTilePixels) (k.*kernel)(t);
          }};
}

Work lifx(const NeuronTile& n) {
  auto sums = random_values<int32_t>(n.values(), -400, 400);
  auto theta = random_values<int32_t>(2 * n.channels, 400, 800);
  auto out = std::make_shared<AlignedBuffer>(kSteps * kTilePixels * words_for(n.channels) * sizeof(uint64_t));
  return {n.name("step_lifx_i32"), n.steps() * 4.125, n.steps(), [=](const KernelTable& k) {
            const size_t stride = words_for(n.channels);
            const LifXTile t{sums->as<int32_t>(),
                             kTilePixels * n.channels,
                             1,
                             theta->as<int32_t>(),
                             kSteps,
                             kTilePixels,
                             n.channels,
                             n.channels,
                             nullptr,
                             nullptr,
                             out->as<uint64_t>(),
                             stride,
                             kTilePixels * stride,
                             nullptr,
                             0};
            for (size_t p = 0; p < n.pixels; p += kTilePixels) k.step_lifx_i32(t);
          }};
}

Work lif_float(const NeuronTile& n) {
  auto currents = random_values<float>(n.values(), -4, 4);
  auto out = std::make_shared<AlignedBuffer>(kSteps * kTilePixels * words_for(n.channels) * sizeof(uint64_t));
  return {n.name("step_lif_f32"), n.steps() * 4.125, n.steps(), [=](const KernelTable& k) {
            const size_t stride = words_for(n.channels);
            const LifFloatTile t{currents->as<float>(),
                                 kTilePixels * n.channels,
                                 0.5f,
                                 1.0f,
                                 1.0f,
                                 false,
                                 false,
                                 kSteps,
                                 kTilePixels,
                                 n.channels,
                                 n.channels,
                                 nullptr,
                                 out->as<uint64_t>(),
                                 stride,
                                 kTilePixels * stride,
                                 nullptr,
                                 0};
            for (size_t p = 0; p < n.pixels; p += kTilePixels) k.step_lif_f32(t);
          }};
}

// 2 x 2 pooling, one call for each output pixel.
Work pool(size_t pixels, size_t words) {
  auto bits = random_values<uint64_t>(4 * pixels * words, 0, 1 << 30);
  auto out = std::make_shared<AlignedBuffer>(words * sizeof(uint64_t));
  const auto touched = static_cast<double>(pixels * words);
  return {"or_rows_b1/" + std::to_string(pixels) + "x4x" + std::to_string(words), touched * 40,
          touched * 4 * 64, [=](const KernelTable& k) {
            for (size_t p = 0; p < pixels; ++p) {
              const uint64_t* first = bits->as<uint64_t>() + p * 4 * words;
              const uint64_t* const rows[] = {first, first + words, first + 2 * words, first + 3 * words};
              k.or_rows_b1(rows, 4, out->as<uint64_t>(), words);
            }
          }};
}

uint64_t kept_count = 0;

Work popcount(size_t words) {
  auto bits = random_values<uint64_t>(words, 0, 1 << 30);
  return {"popcount_b1/" + std::to_string(words), static_cast<double>(words) * 8,
          static_cast<double>(words) * 64,
          [=](const KernelTable& k) { kept_count += k.popcount_b1(bits->as<uint64_t>(), words); }};
}

// Workload W6 without the selection: random codes, limits that about one code in 100,000 is below, blocks of
// 64 KB.
Work hamming(size_t bits, uint32_t limit) {
  constexpr size_t kCodes = 1 << 16, kQueries = 64;
  const size_t bytes = bits / 8, range = 65536 / (bytes * kHammingBlock);
  auto codes = random_values<uint8_t>(kCodes * bytes, 0, 255);
  auto queries = random_values<uint8_t>(kQueries * bytes, 0, 255);
  auto prepared = std::make_shared<AlignedBuffer>(kQueries / kHammingTile * kHammingPrepared * bytes);
  const size_t stride = range * kHammingBlock + 1;
  auto hits = std::make_shared<AlignedBuffer>(kHammingTile * stride * sizeof(HammingHit));
  const double pairs = static_cast<double>(kCodes) * kQueries;
  return {"hamming_b1b1_hits/" + std::to_string(kCodes) + "x" + std::to_string(kQueries) + "x" +
              std::to_string(bits),
          pairs * static_cast<double>(bytes), pairs * static_cast<double>(bits), [=](const KernelTable& k) {
            std::array<uint32_t, kHammingTile> limits{};
            limits.fill(limit);
            std::array<size_t, kHammingTile> counts{};
            for (size_t q = 0; q < kQueries; q += kHammingTile) {
              k.prepare_hamming_b1(queries->as<uint8_t>() + q * bytes, bytes, kHammingTile, bytes,
                                   prepared->data() + q / kHammingTile * kHammingPrepared * bytes);
            }
            for (size_t block = 0; block < kCodes / kHammingBlock; block += range) {
              for (size_t tile = 0; tile < kQueries / kHammingTile; ++tile) {
                const HammingScan scan{codes->as<uint8_t>() + block * bytes * kHammingBlock,
                                       range,
                                       bytes,
                                       prepared->data() + tile * kHammingPrepared * bytes,
                                       kHammingTile,
                                       limits.data(),
                                       stride,
                                       0};
                k.hamming_b1b1_hits(scan, hits->as<HammingHit>(), counts.data());
                kept_count += counts[0];
              }
            }
          }};
}

// Attention of 4 steps and 8 heads, 196 tokens, 48 wide, packed along dim, from one thread.
struct AttentionCase {
  static constexpr size_t kHeads = 4 * 8, kTokens = 196, kDim = 48;
  AlignedBuffer q{kHeads * kTokens * 8}, k{kHeads * kTokens * 8}, v{kHeads * kTokens * 8};
  AlignedBuffer out{kHeads * kTokens * kTokens * sizeof(int32_t)}, scratch{size_t{1} << 20};

  explicit AttentionCase(double density) {
    const auto threshold = static_cast<uint64_t>(density * 0x1p32);
    for (AlignedBuffer* bits : {&q, &k, &v}) {
      for (size_t i = 0; i < kHeads * kTokens * kDim; ++i) {
        if ((next_random() >> 32) < threshold) snncore::set_bit(bits->as<uint64_t>() + i / kDim, i % kDim);
      }
    }
  }
  [[nodiscard]] snncore::ops::HeadBits head(const AlignedBuffer& bits, size_t i) const {
    return {bits.as<uint64_t>() + i * kTokens, false};
  }
};

Work attention(snncore::AttentionOrder order, const char* kind, double density) {
  using Case = AttentionCase;
  auto data = std::make_shared<Case>(density);
  const snncore::ops::AttentionPlan plan = snncore::ops::plan_attention(Case::kTokens, Case::kDim, order);
  const double products = 1.0 * Case::kHeads * Case::kTokens * Case::kDim * Case::kDim * 2;
  return {"attention/" + std::string(kind) + "_" + std::to_string(static_cast<int>(100 * density)) + "%",
          Case::kHeads * Case::kTokens * (3 * 8.0 + 4 * Case::kDim), products, [=](const KernelTable& t) {
            for (size_t h = 0; h < Case::kHeads; ++h) {
              snncore::ops::run_attention(
                  t, plan, data->head(data->q, h), data->head(data->k, h), data->head(data->v, h),
                  data->out.as<int32_t>() + h * Case::kTokens * Case::kDim, data->scratch.data());
            }
          }};
}

Work attention_map() {
  using Case = AttentionCase;
  auto data = std::make_shared<Case>(0.2);
  const double products = 1.0 * Case::kHeads * Case::kTokens * Case::kTokens * Case::kDim;
  return {"attention_map/20%", Case::kHeads * Case::kTokens * (2 * 8.0 + 4 * 8), products,
          [=](const KernelTable& t) {
            for (size_t h = 0; h < Case::kHeads; ++h) {
              snncore::ops::run_attention_map(
                  t, Case::kTokens, Case::kDim, data->head(data->q, h), data->head(data->k, h), 3,
                  data->out.as<uint64_t>() + h * Case::kTokens * words_for(Case::kTokens),
                  data->scratch.data());
            }
          }};
}

std::vector<Work> all_work() {
  const Layer layers[] = {
      {32, 32, 32, 32}, {16, 16, 64, 64}, {8, 8, 128, 128}, {32, 32, 128, 128}, {16, 16, 256, 256}};
  std::vector<Work> work;
  for (const Layer& l : layers) {
    for (const double density : {0.1, 0.2, 0.5}) {
      work.push_back(gather(l, 1, "/1bit", density));
      work.push_back(gather(l, 8, "/4bit", density));
      work.push_back(gather(l, 128, "/8bit", density));
      work.push_back(gather_float(l, density));
    }
    work.push_back(count(l));
    for (const int32_t one_in : {20, 10, 5}) {
      work.push_back(sparse(l, 8, "/4bit", one_in));
      work.push_back(sparse(l, 128, "/8bit", one_in));
    }
  }
  work.push_back(first_layer());
  work.push_back(first_float_layer());
  for (const NeuronTile& n : {NeuronTile{1024, 32}, NeuronTile{256, 64}, NeuronTile{64, 128}}) {
    work.push_back(lif("step_lif_i16", &KernelTable::step_lif_i16, n));
    work.push_back(lif("step_lif_i8", &KernelTable::step_lif_i8, n));
    work.push_back(lif("step_lif_i32", &KernelTable::step_lif_i32, n));
    work.push_back(lifx(n));
    work.push_back(lif_float(n));
  }
  work.push_back(pool(512, 1));
  work.push_back(popcount(4096));
  work.push_back(hamming(128, 40));
  work.push_back(hamming(256, 94));
  work.push_back(hamming(512, 208));
  work.push_back(hamming(1024, 444));
  for (const double density : {0.1, 0.2, 0.5}) {
    work.push_back(attention(snncore::AttentionOrder::kKvFirst, "kv_first", density));
    work.push_back(attention(snncore::AttentionOrder::kQkFirst, "qk_first", density));
  }
  work.push_back(attention_map());
  return work;
}

struct Time {
  double best, median;  // ns for one run
};

Time measure(const Work& work, const KernelTable& table) {
  const auto timed = [&](size_t runs) {
    const double start = cpu_ns();
    for (size_t i = 0; i < runs; ++i) work.run(table);
    return cpu_ns() - start;
  };
  size_t runs = 1;
  while (timed(runs) < 5e6) runs *= 2;
  std::array<double, 7> ns{};
  for (double& t : ns) t = timed(runs) / static_cast<double>(runs);
  std::sort(ns.begin(), ns.end());
  return {ns.front(), ns[ns.size() / 2]};
}

// Kernel table's SumCosts from four layers: a slope over the spikes, then two widths, then a count.
void print_costs(const KernelTable& table) {
  const Layer wide{32, 32, 128, 128}, narrow{32, 32, 32, 32};
  const auto ns = [&](const Work& work) { return measure(work, table).best; };
  const double pixels = kSteps * 32 * 32, sparse = ns(gather(wide, 1, "", 0.2)),
               dense = ns(gather(wide, 1, "", 0.5));
  const double spike = (dense - sparse) / (0.3 * pixels * 9 * 128 * 4);
  const double wide_part = sparse / (pixels * 9) - 0.2 * 128 * 4 * spike;
  const double narrow_parts = static_cast<double>(code_parts(32, 9));
  const double narrow_part =
      ns(gather(narrow, 1, "", 0.2)) / (pixels * narrow_parts) - 0.2 * 288 / narrow_parts * spike;
  const double block = std::max(0.0, (wide_part - narrow_part) / 3);
  const double word = ns(count(wide)) / (pixels * 9 * 4 * 4);
  std::printf("%-13s {%.2fF, %.2fF, %.3fF, %.2fF}\n", table.isa, narrow_part - block, block, spike, word);
}

struct Options {
  std::string filter, isa;
  bool json = false, costs = false;
};

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    if (arg == "--json") {
      options.json = true;
    } else if (arg == "--costs") {
      options.costs = true;
    } else if ((arg == "--filter" || arg == "--isa") && i + 1 < argc) {
      (arg == "--isa" ? options.isa : options.filter) = argv[++i];
    } else {
      return false;
    }
  }
  return true;
}

bool wanted(const std::string& list, const char* name) {
  return list.empty() || ("," + list + ",").find("," + std::string(name) + ",") != std::string::npos;
}

void print(const Work& work, const KernelTable& table, const Time& t, bool json, bool first) {
  const double gb = work.bytes / t.best, giga = work.operations / t.best;
  if (json) {
    std::printf(
        "%s\n  {\"name\": \"%s\", \"isa\": \"%s\", \"ns\": %.0f, \"median_ns\": %.0f, \"gb_per_s\": %.2f, "
        "\"operations_per_s\": %.4g}",
        first ? "" : ",", work.name.c_str(), table.isa, t.best, t.median, gb, giga * 1e9);
  } else {
    std::printf("%-48s %-13s %11.0f ns  (median %11.0f)  %7.2f GB/s  %8.2f Gop/s\n", work.name.c_str(),
                table.isa, t.best, t.median, gb, giga);
  }
  std::fflush(stdout);
}

void run_costs(const Options& options) {
  for (size_t level = 0; level < level_count(); ++level) {
    KernelTable table{};
    if (wanted(options.isa, level_name(level)) && level_table(level, table)) print_costs(table);
  }
}

void run_all(const Options& options) {
  const std::vector<Work> work = all_work();
  bool first = true;
  for (const Work& w : work) {
    if (w.name.find(options.filter) == std::string::npos) continue;
    for (size_t level = 0; level < level_count(); ++level) {
      KernelTable table{};
      if (!wanted(options.isa, level_name(level)) || !level_table(level, table)) continue;
      print(w, table, measure(w, table), options.json, first);
      first = false;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    std::fprintf(stderr, "usage: %s [--filter TEXT] [--isa avx2,scalar] [--json | --costs]\n", argv[0]);
    return 2;
  }
  if (emulated()) {
    std::printf("This program runs under an emulator; its times would say nothing.\n");
    return 0;
  }
  if (options.costs) {
    run_costs(options);
    return 0;
  }
  if (options.json) {
    std::printf(
        "{\"cpu\": \"%s\", \"compiler\": \"%s\", \"clock\": \"thread CPU time, best and median of 7\", "
        "\"results\": [",
        cpu_name().c_str(), __VERSION__);
  }
  run_all(options);
  if (options.json) std::printf("\n]}\n");
  return 0;
}
