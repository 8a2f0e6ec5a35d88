// An encoder from what a file or a caller holds of it.
#pragma once

#include <memory>

#include "lsh/encoder.h"

namespace snncore::lsh {

/// The encoder whose kind, dim, bits and tensors these are. Tensors that it keeps as they are may lie in a
/// mapped file, which their owners keep alive. Throws Error(kFormat): another kind, a tensor that is missing
/// or one too many, of another type or shape, or with values that are not finite.
std::unique_ptr<Encoder> read_encoder(std::string_view kind, size_t dim, size_t bits, const Tensors& tensors);

}  // namespace snncore::lsh
