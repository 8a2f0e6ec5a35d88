// A caller's array becomes the rows of an input edge.
#pragma once

#include <cstddef>

#include <snncore/tensor.h>

#include "runtime/program.h"

namespace snncore::runtime {

/// The shape that an array for this input must have.
Shape input_shape(const Program::Impl::Input& input, size_t steps, size_t batch);

/// Checks dtype, shape and values, then writes the slot. Throws Error(kShape). Allocates nothing unless it
/// throws.
void read_input(const Program::Impl::Input& input, const TensorView& array, size_t steps, size_t batch,
                const Frame& frame);

}  // namespace snncore::runtime
