// Principal components and the rotation of itq.
#pragma once

#include <memory>

#include "lsh/encoders/itq.h"
#include "lsh/encoders/sample.h"
#include "lsh/fit_encoder.h"

namespace snncore::lsh {

/// With more bits than components that vary, the further bits are random rotations of the same components:
/// settled, they would come to much the same signs. Throws Error(kInvalidArgument) where all vectors are
/// equal or have more than 8,192 dimensions.
std::unique_ptr<Itq> fit_itq(const Sample& sample, size_t bits, const FitOptions& options);

}  // namespace snncore::lsh
