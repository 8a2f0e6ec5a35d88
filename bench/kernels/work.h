// One kernel on data of its own, as `bench_kernels` times it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/align.h"
#include "kernels/lut_codes.h"
#include "kernels/sparse_codes.h"
#include "kernels/table.h"

namespace snncore::bench {

struct Work {
  std::string name;
  double bytes = 0;  // read and written by the kernel's own loops, cache or not
  double operations =
      0;  // synaptic operations: one spike or input byte at one output channel; or neuron steps
  std::function<void(const kernels::KernelTable&)> run;
  const char* limit = nullptr;  // of bench_limits, that its operations are a share of
};

struct Time {
  double best, median;  // ns for one run
};

/// Thread CPU time: best and median of 7.
Time measure(const Work& work, const kernels::KernelTable& table);

/// What part of its limit at this level a work reaches; 0 where it has none.
double share_of_limit(const Work& work, size_t level, const Time& time);

/// Sessions cut their layers into tiles of about so many time steps and pixels, more where pixels are lanes.
constexpr size_t kSteps = 2;
constexpr size_t kTilePixels = 16;
constexpr size_t kRasterPixels = 256;

/// A 3 x 3 convolution with padding 1.
struct Layer {
  size_t height, width, inputs, outputs;
  [[nodiscard]] size_t pixels() const { return kSteps * height * width; }
  [[nodiscard]] size_t weights() const { return 9 * inputs * outputs; }
  [[nodiscard]] std::string name(const char* kernel, const char* kind) const;
};

Work gather(const Layer& layer, int32_t max_abs, const char* kind, double density);
Work count(const Layer& layer);
/// One weight in `one_in` is not zero.
kernels::SparseCodes pruned_codes(const Layer& layer, int32_t max_abs, int32_t one_in);
Work sparse(const Layer& layer, kernels::SparseCodes codes, const char* kind);
kernels::LutCodes random_tables(const Layer& layer, int32_t max_abs, size_t width);
Work look_up(const Layer& layer, int32_t max_abs, const char* kind);

Work dense(const Layer& layer);

// Each file adds its kernels.
void add_convolutions(std::vector<Work>& work);
void add_first_layers(std::vector<Work>& work);
void add_neurons(std::vector<Work>& work);
void add_bits(std::vector<Work>& work);
void add_hamming(std::vector<Work>& work);
void add_attention(std::vector<Work>& work);

/// Prints the level's line in the table of costs.
void print_costs(const kernels::KernelTable& table);

/// "/20%"
std::string percent(double density);

// One stream of random numbers, the same in every run.
uint64_t next_random();
int32_t random_in(int32_t lo, int32_t hi);
bool random_spike(double density);

template <typename T>
std::shared_ptr<AlignedBuffer> random_values(size_t count, int32_t lo, int32_t hi) {
  auto buffer = std::make_shared<AlignedBuffer>(count * sizeof(T));
  for (size_t i = 0; i < count; ++i) buffer->as<T>()[i] = static_cast<T>(random_in(lo, hi));
  return buffer;
}

/// Counts go here, so that none is removed.
void keep(uint64_t count);

}  // namespace snncore::bench
