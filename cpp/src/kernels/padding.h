// What rows and buffers are padded to.
#pragma once

#include <cstddef>

namespace snncore::kernels {

/// Output channels are padded to a multiple of this many in every weight, constant and accumulator row.
inline constexpr size_t kChannelPad = 32;
/// Buffers handed to kernels start on this alignment and end with as many readable bytes.
inline constexpr size_t kAlign = 64;

constexpr size_t pad_channels(size_t c) noexcept { return (c + kChannelPad - 1) / kChannelPad * kChannelPad; }

}  // namespace snncore::kernels
