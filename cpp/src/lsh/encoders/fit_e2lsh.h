// Random directions and the width of their cells.
#pragma once

#include <memory>

#include "lsh/encoders/e2lsh.h"
#include "lsh/encoders/sample.h"
#include "lsh/fit_encoder.h"

namespace snncore::lsh {

/// Throws Error(kInvalidArgument) where the width is to be measured and vectors have no distance.
std::unique_ptr<E2Lsh> fit_e2lsh(const Sample& sample, size_t bits, const FitOptions& options);

}  // namespace snncore::lsh
