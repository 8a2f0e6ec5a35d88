// Sums of several layers made one current.
#pragma once

#include <cstddef>
#include <cstdint>

namespace snncore::kernels {

/// Sums of several layers, made one current: a factor for each sum and channel, at least 0; c with the half
/// that rounds; n 0..30; |c| and the magnitudes of all products together below 2^31.
struct Requant {
  size_t sums;
  const int32_t* const* m;  // [sums][channels_padded]
  const int32_t* c;
  const int32_t* n;
  size_t channels_padded;  // multiple of kChannelPad
};

/// The same in 64 bits: the sum below 2^63 in magnitude. Streams are added as they are.
struct WideRequant {
  size_t sums, streams;
  const int32_t* const* m;  // [sums][channels_padded]
  const int64_t* c;
  const int64_t* n;
  size_t channels_padded;  // multiple of kChannelPad
};

}  // namespace snncore::kernels
