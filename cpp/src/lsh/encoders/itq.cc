#include "lsh/encoders/itq.h"

#include <utility>

namespace snncore::lsh {

Itq::Itq(Centre centre, FloatLayer projection)
    : centre_(std::move(centre)), projection_(std::move(projection)) {}

Itq::Itq(Stored& stored, size_t dim, size_t bits)
    : centre_(stored, dim), projection_(FloatLayer::read(stored, "projection", dim, bits)) {}

void Itq::logits(const float* rows, size_t count, float* logits) const noexcept {
  centre_.for_tiles(rows, count, [&](const float* centred, size_t first, size_t tile) {
    projection_.run(centred, tile, logits + first * bits());
  });
}

Tensors Itq::tensors() const { return {{"mean", centre_.tensor()}, {"projection", projection_.weights()}}; }

}  // namespace snncore::lsh
