// Values of a run in the order that users see: time, sample, channel, row, column.
#pragma once

#include <cstddef>

#include <snncore/session.h>

#include "runtime/program.h"

namespace snncore::runtime {

/// [T, N, ...] or, for a value of the whole run, [N, ...].
Shape value_shape(const Program::Impl::Value& value, size_t steps, size_t batch);
size_t element_count(const Program::Impl::Value& value, size_t steps, size_t batch);

/// Any edge as float32; sums are rounded to nearest, counts divided by their divisor.
void copy_reals(const Program::Impl::Value& value, const Frame& frame, size_t steps, size_t batch,
                float* out) noexcept;

/// Spikes as they lie: their shape, channels last, and their words.
Shape packed_shape(const Program::Impl::Value& value, size_t steps, size_t batch);
void copy_packed(const Program::Impl::Value& value, const Frame& frame, size_t steps, size_t batch,
                 std::byte* out) noexcept;

Recording record(const Program::Impl::Value& value, const Frame& frame, size_t steps, size_t batch);

}  // namespace snncore::runtime
