// Encoders fitted to vectors.
#pragma once

#include <cstdint>
#include <memory>

#include "lsh/encoder.h"

namespace snncore::lsh {

struct FitOptions {
  uint64_t seed = 0;
  bool center = true;   // srp and cross_polytope: hash what is left of a vector without the mean
  int iterations = 40;  // of itq's rotation
  double width = 0;     // of e2lsh's cells; 0: 4 times the mean distance to the tenth neighbour in a sample
};

/// Fits "srp", "itq", "e2lsh" or "cross_polytope" to rows [count][dim], all finite, of which at most 100,000,
/// spread evenly, are looked at. One thread; the same bytes on every ISA. Throws Error(kInvalidArgument).
std::unique_ptr<Encoder> fit_encoder(std::string_view kind, const float* rows, size_t count, size_t dim,
                                     size_t bits, const FitOptions& options = {});

}  // namespace snncore::lsh
