// Steps of neurons on sums that lie in the cache.
#include "base/bits.h"
#include "work.h"

namespace snncore::bench {

using namespace kernels;

namespace {

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
  return {n.name(name), n.steps() * 4.125, n.steps(),
          [=](const KernelTable& k) {
            LifTile t{};
            t.sums = sums->as<int32_t>();
            t.sums_t_stride = kTilePixels * n.channels;
            t.m = constants->as<int32_t>();
            t.c = t.m + n.channels;
            t.n = t.c + n.channels;
            t.short_sums = true;
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
          },
          "lif_i16"};
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

// The same neuron, made of stages.
Work rule_float(const NeuronTile& n) {
  auto currents = random_values<float>(n.values(), -4, 4);
  auto ones = std::make_shared<AlignedBuffer>(2 * n.channels * sizeof(float));
  auto out = std::make_shared<AlignedBuffer>(kSteps * kTilePixels * words_for(n.channels) * sizeof(uint64_t));
  for (size_t c = 0; c < n.channels; ++c) ones->as<float>()[c] = 1, ones->as<float>()[n.channels + c] = 0;
  return {n.name("step_neuron_f32"), n.steps() * 4.125, n.steps(), [=](const KernelTable& k) {
            const NeuronRule rule{.reset = NeuronReset::kZero};
            const NeuronValues one{ones->as<float>(), 0}, zero{ones->as<float>() + n.channels, 0};
            kernels::NeuronTile t{};
            t.rule = &rule;
            t.rate = t.input_gain = t.synapse_gain = t.threshold = t.drop = one;
            t.leak = t.bias = t.synapse_rate = t.reset_value = t.floor = t.initial = zero;
            t.currents = currents->as<float>();
            t.currents_t_stride = kTilePixels * n.channels;
            t.steps = kSteps;
            t.pixels = kTilePixels;
            t.channels = t.channels_padded = n.channels;
            t.out = out->as<uint64_t>();
            t.out_stride = words_for(n.channels);
            t.out_t_stride = kTilePixels * t.out_stride;
            for (size_t p = 0; p < n.pixels; p += kTilePixels) k.step_neuron_f32(t);
          }};
}

}  // namespace

void add_neurons(std::vector<Work>& work) {
  for (const NeuronTile& n : {NeuronTile{1024, 32}, NeuronTile{256, 64}, NeuronTile{64, 128}}) {
    work.push_back(lif("step_lif_i16", &KernelTable::step_lif_i16, n));
    work.push_back(lif("step_lif_i8", &KernelTable::step_lif_i8, n));
    work.push_back(lif("step_lif_i32", &KernelTable::step_lif_i32, n));
    work.push_back(lifx(n));
    work.push_back(lif_float(n));
    work.push_back(rule_float(n));
  }
}

}  // namespace snncore::bench
