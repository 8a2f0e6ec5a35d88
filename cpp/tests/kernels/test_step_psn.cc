// The parallel spiking neuron: every level against the written order.
#include "kernels/common.h"

namespace snncore::test {
namespace {

using kernels::PsnTile;

struct PsnCase {
  size_t channels, pixels, steps, taps, cp, stride;
  bool sliding;
  Guarded<float> currents, weights, bias;
  std::vector<const float*> planes;

  PsnCase(Random& random, size_t channels_in)
      : channels(channels_in),
        pixels(random.size(1, 5)),
        steps(random.size(1, 6)),
        taps(random.size(1, 6)),
        cp(kernels::pad_channels(channels)),
        stride(words_for(channels) + 1),
        sliding(random.chance(0.5)),
        currents((sliding ? steps + taps - 1 : taps) * pixels * cp, 1),
        weights((sliding ? 1 : steps) * taps, 1),
        bias(sliding ? 1 : steps, 1) {
    for (Guarded<float>* values : {&currents, &weights, &bias}) {
      for (size_t i = 0; i < values->size(); ++i)
        (*values)[i] = random.chance(0.2) ? 0.0f : random.real() - 0.5f;
    }
    const size_t count = sliding ? steps + taps - 1 : taps;  // there may be no channel
    const size_t missing = random.size(0, sliding ? taps - 1 : 0);
    for (size_t i = 0; i < count; ++i) {
      planes.push_back(i < missing ? nullptr : currents.data() + i * pixels * cp);
    }
  }

  PsnTile tile(Guarded<uint64_t>& out, Guarded<float>& record) {
    return {.planes = planes.data(),
            .first_stride = sliding ? size_t{1} : size_t{0},
            .weights = weights.data(),
            .weights_stride = sliding ? 0 : taps,
            .taps = taps,
            .bias = bias.data(),
            .bias_stride = sliding ? size_t{0} : size_t{1},
            .steps = steps,
            .pixels = pixels,
            .channels = channels,
            .channels_padded = cp,
            .out = out.data(),
            .out_stride = stride,
            .out_t_stride = pixels * stride,
            .record = record.data(),
            .record_t_stride = pixels * cp};
  }

  float h(size_t t, size_t p, size_t c) {
    float sum = 0;
    for (size_t j = 0; j < taps; ++j) {
      const float* plane = planes[(sliding ? t : 0) + j];
      const float product =
          weights[(sliding ? 0 : t * taps) + j] * (plane == nullptr ? 0.0f : plane[p * cp + c]);
      sum = sum + product;
    }
    return sum + bias[sliding ? 0 : t];
  }
};

TEST_CASE("step_psn_f32 equals the written order on every level") {
  Random random(41);
  for (const size_t channels : sizes()) {
    for (int i = 0; i < 12; ++i) {
      PsnCase given(random, channels);
      for (const auto& table : tables()) {
        CAPTURE(table.isa);
        CAPTURE(channels);
        Guarded<uint64_t> out(given.steps * given.pixels * given.stride, 1);
        Guarded<float> record(given.steps * given.pixels * given.cp, 1);
        table.step_psn_f32(given.tile(out, record));
        bool same = true;
        for (size_t at = 0; at < given.steps * given.pixels; ++at) {
          const uint64_t* row = out.data() + at * given.stride;
          for (size_t c = 0; c < channels; ++c) {
            const float h = given.h(at / given.pixels, at % given.pixels, c);
            same = same && record[at * given.cp + c] == h && ((row[c / 64] >> c % 64 & 1) != 0) == (h >= 0);
          }
          same = same && (channels % 64 == 0 || row[channels / 64] >> channels % 64 == 0);
        }
        CHECK(same);
        CHECK(out.intact());
        CHECK(record.intact());
      }
    }
  }
}

}  // namespace
}  // namespace snncore::test
