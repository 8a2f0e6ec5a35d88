#include "lsh/encoders/mlp.h"

namespace snncore::lsh {

Mlp::Mlp(Stored& stored, size_t dim, size_t bits)
    : centre_(stored, dim), projection_(FloatLayer::read(stored, "projection", dim, bits)) {
  const size_t width = stored.hidden_width();
  hidden_ = FloatLayer::read(stored, "hidden", dim, width, "hidden_bias");
  residual_ = FloatLayer::read(stored, "residual", width, bits);
}

void Mlp::logits(const float* rows, size_t count, float* logits) const noexcept {
  std::vector<float> hidden(kTileRows * hidden_.outputs()), corrections(kTileRows * bits());
  centre_.for_tiles(rows, count, [&](const float* centred, size_t first, size_t tile) {
    float* out = logits + first * bits();
    projection_.run(centred, tile, out);
    hidden_.run(centred, tile, hidden.data());
    for (float& v : hidden) v = std::max(0.0F, v);
    residual_.run(hidden.data(), tile, corrections.data());
    for (size_t i = 0; i < tile * bits(); ++i) out[i] += corrections[i];
  });
}

Tensors Mlp::tensors() const {
  return {{"mean", centre_.tensor()},
          {"projection", projection_.weights()},
          {"hidden", hidden_.weights()},
          {"hidden_bias", hidden_.bias()},
          {"residual", residual_.weights()}};
}

}  // namespace snncore::lsh
