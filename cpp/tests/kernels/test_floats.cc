// The float kernels: every level gives the bits of the written order of summation, whatever method it uses.
#include <cstring>

#include "kernels/common.h"

namespace snncore::test {
namespace {

using kernels::FloatWeights;

struct Layer {
  size_t channels, inputs, taps, pixels, cp;
  Guarded<float> values, bias;
  bool has_bias;

  Layer(Random& random, size_t channels_in, size_t inputs_in)
      : channels(channels_in),
        inputs(inputs_in),
        taps(random.size(1, 9)),
        pixels(random.size(1, 9)),
        cp(kernels::pad_channels(channels)),
        values(taps * inputs * cp),
        bias(cp),
        has_bias(random.chance(0.5)) {
    for (size_t r = 0; r < taps * inputs; ++r) {
      for (size_t c = 0; c < channels; ++c) values[at(r, c)] = random.real();
    }
    for (size_t c = 0; c < channels; ++c) bias[c] = random.real();
  }
  [[nodiscard]] size_t at(size_t r, size_t c) const {
    return kernels::row_weight<kernels::kFloatBlock>(r, c, taps * inputs, cp);
  }
  FloatWeights weights() { return {values.data(), inputs, taps, cp, has_bias ? bias.data() : nullptr}; }
};

// x: [pixels][taps * inputs]
std::vector<float> sums_in_order(Layer& layer, const std::vector<float>& x) {
  const size_t rows = layer.taps * layer.inputs;
  std::vector<float> out(layer.pixels * layer.cp);
  for (size_t p = 0; p < layer.pixels; ++p) {
    for (size_t c = 0; c < layer.cp; ++c) {
      float sum = 0.0f;
      for (size_t k = 0; k < rows; ++k) {
        const float product = x[p * rows + k] * layer.values[layer.at(k, c)];
        sum += product;
      }
      out[p * layer.cp + c] = layer.has_bias ? sum + layer.bias[c] : sum;
    }
  }
  return out;
}

bool same_bits(const std::vector<float>& a, Guarded<float>& b) {
  return a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

void check_gather(Random& random, const std::vector<kernels::KernelTable>& tables, size_t channels,
                  size_t inputs) {
  Layer layer(random, channels, inputs);
  const double densities[] = {0.0, 0.1, 0.5, 1.0};
  SpikeRows spikes(random, layer.pixels, layer.taps, inputs, random.pick(densities));
  std::vector<float> x(layer.pixels * layer.taps * inputs);
  for (size_t i = 0; i < x.size(); ++i) x[i] = spikes.fires(i / inputs, i % inputs) ? 1.0f : 0.0f;
  const std::vector<float> expected = sums_in_order(layer, x);
  for (const auto& table : tables) {
    Guarded<float> out(layer.pixels * layer.cp, 1);
    table.addrows_b1f32_f32(spikes.tile(), layer.weights(), out.data(), spikes.scratch());
    CAPTURE(table.isa);
    CAPTURE(channels);
    CAPTURE(inputs);
    CHECK((same_bits(expected, out) && out.intact() && spikes.intact()));
  }
}

void check_dense(Random& random, const std::vector<kernels::KernelTable>& tables, size_t channels,
                 size_t inputs) {
  Layer layer(random, channels, inputs);
  std::vector<float> x(layer.pixels * layer.taps * inputs);
  for (float& v : x) v = random.chance(0.3) ? 0.0f : random.real();
  const std::vector<float> expected = sums_in_order(layer, x);
  for (const auto& table : tables) {
    Guarded<float> out(layer.pixels * layer.cp, 1);
    table.gemm_f32f32_f32(x.data(), layer.pixels, layer.weights(), out.data());
    CAPTURE(table.isa);
    CAPTURE(channels);
    CAPTURE(inputs);
    CHECK((same_bits(expected, out) && out.intact()));
  }
}

TEST_CASE("addrows_b1f32_f32 equals the dense sum, bit for bit, on every level") {
  Random random(4);
  const auto levels = tables();
  for (const size_t n : sizes()) {
    check_gather(random, levels, n, random.size(1, 130));
    check_gather(random, levels, random.size(1, 130), n);
  }
  check_gather(random, levels, 70, 3000);
}

TEST_CASE("gemm_f32f32_f32 sums in the written order on every level") {
  Random random(5);
  const auto levels = tables();
  for (const size_t n : sizes()) {
    check_dense(random, levels, n, random.size(1, 130));
    check_dense(random, levels, random.size(1, 130), n);
  }
}

TEST_CASE("gemm_f64f64_f64 adds one row after the other on every level") {
  Random random(6);
  const auto levels = tables();
  for (const size_t m : sizes()) {
    const size_t rows = random.size(0, 40), n = kernels::kChannelPad * random.size(1, 4);
    const size_t a_stride = m + random.size(0, 3), b_stride = n + random.size(0, 3), c_stride = n + 1;
    std::vector<double> a(rows * a_stride + 1), b(rows * b_stride + 1), first(m * c_stride + 1);
    for (auto* values : {&a, &b, &first}) {
      for (double& v : *values) v = random.real() * 1e3;
    }
    std::vector<double> expected = first;
    for (size_t i = 0; i < m; ++i) {
      for (size_t j = 0; j < n; ++j) {
        double& sum = expected[i * c_stride + j];
        for (size_t row = 0; row < rows; ++row) sum += a[row * a_stride + i] * b[row * b_stride + j];
      }
    }
    for (const auto& table : levels) {
      std::vector<double> c = first;
      table.gemm_f64f64_f64({a.data(), b.data(), a_stride, b_stride, rows, m, n, c.data(), c_stride});
      CAPTURE(table.isa);
      CAPTURE(m);
      CHECK(std::memcmp(c.data(), expected.data(), c.size() * sizeof(double)) == 0);
    }
  }
}

}  // namespace
}  // namespace snncore::test
