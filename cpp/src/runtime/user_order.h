// Values of a run in the order that users see: time, sample, channel, row, column.
#pragma once

#include <cstddef>
#include <cstdint>

#include <snncore/session.h>

#include "runtime/program.h"

namespace snncore::runtime {

/// [T, N, ...] or, for a value of the whole run, [N, ...].
Shape value_shape(const Program::Impl::Value& value, size_t steps, size_t batch);
size_t element_count(const Program::Impl::Value& value, size_t steps, size_t batch);

/// Any edge as float32; sums are rounded to nearest, counts divided by their divisor.
void copy_reals(const Program::Impl::Value& value, const Frame& frame, size_t steps, size_t batch,
                float* out) noexcept;

/// Channels last: [T, N, H, W, C] or [T, N, F].
Shape packed_shape(const Program::Impl::Value& value, size_t steps, size_t batch);

/// An edge of spikes, rows of whole words in the order of `packed_shape`; every word is written.
void copy_spikes(const Program::Impl::Value& value, const Frame& frame, size_t steps, size_t batch,
                 uint64_t* out) noexcept;

Recording record(const Program::Impl::Value& value, const Frame& frame, size_t steps, size_t batch);

}  // namespace snncore::runtime
