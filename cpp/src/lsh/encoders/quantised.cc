#include "lsh/encoders/quantised.h"

namespace snncore::lsh {
namespace {

constexpr int32_t kZero = 128;  // what an input byte says for 0

std::vector<float> take_row(Stored& stored, const char* name, size_t count) {
  const tensor::Tensor tensor = stored.take(name, DType::kF32, {static_cast<int64_t>(count)});
  return {tensor.as<float>(), tensor.as<float>() + count};
}

tensor::Tensor row_of(const std::vector<float>& values) {
  return copied(values, {static_cast<int64_t>(values.size())});
}

// Rounds to nearest, ties to even, within low..high, both within 2^22: the sum has no place for a fraction.
int32_t round_within(float v, float low, float high) noexcept {
  constexpr float kNoFraction = 0x1.8p23F;
  const float within = std::min(high, std::max(low, v));
  return static_cast<int32_t>((within + kNoFraction) - kNoFraction);
}

}  // namespace

struct Quantised::Scratch {
  explicit Scratch(const Quantised& q)
      : inputs(kTileRows * q.projection_.row_bytes()),
        hidden(kTileRows * q.residual_.row_bytes()),
        sums(kTileRows * std::max(q.bits(), q.hidden_.outputs())) {}
  std::vector<uint8_t> inputs, hidden;
  std::vector<int32_t> sums;
};

Quantised::Quantised(std::string_view kind, Stored& stored, size_t dim, size_t bits)
    : mlp_(kind == "mlp"),
      centre_(stored, dim),
      input_scale_(take_row(stored, "input_scale", dim)),
      projection_scale_(take_row(stored, "projection_scale", bits)),
      bias_(take_row(stored, "bias", bits)),
      projection_(stored, "projection", dim, bits, kZero) {
  if (!mlp_) return;
  const size_t width = stored.hidden_width();
  hidden_scale_ = take_row(stored, "hidden_scale", width);
  hidden_bias_ = take_row(stored, "hidden_bias", width);
  residual_scale_ = take_row(stored, "residual_scale", bits);
  hidden_ = ByteLayer(stored, "hidden", dim, width, kZero);
  residual_ = ByteLayer(stored, "residual", width, bits, 0);
}

void Quantised::logits(const float* rows, size_t count, float* logits) const noexcept {
  Scratch scratch(*this);
  centre_.for_tiles(rows, count, [&](const float* centred, size_t first, size_t tile) {
    for (size_t r = 0; r < tile; ++r) {
      uint8_t* to = scratch.inputs.data() + r * projection_.row_bytes();
      for (size_t i = 0; i < dim(); ++i) {
        to[i] =
            static_cast<uint8_t>(round_within(centred[r * dim() + i] * input_scale_[i], -127, 127) + kZero);
      }
    }
    project(scratch, tile, logits + first * bits());
    if (mlp_) correct(scratch, tile, logits + first * bits());
  });
}

void Quantised::project(Scratch& scratch, size_t tile, float* out) const noexcept {
  projection_.run(scratch.inputs.data(), tile, scratch.sums.data());
  for (size_t r = 0; r < tile; ++r) {
    for (size_t b = 0; b < bits(); ++b) {
      out[r * bits() + b] =
          static_cast<float>(scratch.sums[r * bits() + b]) * projection_scale_[b] + bias_[b];
    }
  }
}

void Quantised::correct(Scratch& scratch, size_t tile, float* out) const noexcept {
  const size_t width = hidden_.outputs();
  hidden_.run(scratch.inputs.data(), tile, scratch.sums.data());
  for (size_t r = 0; r < tile; ++r) {
    for (size_t h = 0; h < width; ++h) {
      const float v = static_cast<float>(scratch.sums[r * width + h]) * hidden_scale_[h] + hidden_bias_[h];
      scratch.hidden[r * width + h] = static_cast<uint8_t>(round_within(v, 0, 255));
    }
  }
  residual_.run(scratch.hidden.data(), tile, scratch.sums.data());
  for (size_t r = 0; r < tile; ++r) {
    for (size_t b = 0; b < bits(); ++b) {
      out[r * bits() + b] += static_cast<float>(scratch.sums[r * bits() + b]) * residual_scale_[b];
    }
  }
}

Tensors Quantised::tensors() const {
  Tensors all = {{"mean", centre_.tensor()},
                 {"input_scale", row_of(input_scale_)},
                 {"projection", projection_.weights()},
                 {"projection_scale", row_of(projection_scale_)},
                 {"bias", row_of(bias_)}};
  if (!mlp_) return all;
  all.insert({{"hidden", hidden_.weights()},
              {"hidden_scale", row_of(hidden_scale_)},
              {"hidden_bias", row_of(hidden_bias_)},
              {"residual", residual_.weights()},
              {"residual_scale", row_of(residual_scale_)}});
  return all;
}

}  // namespace snncore::lsh
