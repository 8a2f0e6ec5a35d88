// The orthogonal matrix nearest to a square one.
#pragma once

#include <optional>

#include "lsh/linear/matrix.h"

namespace snncore::lsh {

/// U Wᵀ for a = U S Wᵀ, by the eigenvectors of aᵀ a; none where `a` is close to singular (a singular value
/// below 3e-7 of the largest).
std::optional<Matrix> polar(const Matrix& a);

}  // namespace snncore::lsh
