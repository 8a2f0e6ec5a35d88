/// \file
/// Events of an event camera, and how a Session cuts them into steps. docs/events.md has the rules at length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include <snncore/version.h>

namespace snncore {

/// Columns of equal length that the caller owns, in the order of arrival.
struct Events {
  std::span<const uint16_t> x, y;     ///< column and row of the pixel; [F] inputs: the element, and 0
  std::span<const uint8_t> polarity;  ///< 0 goes to channel 0, 1 to channel 1; not used by one channel
  std::span<const int64_t> time;      ///< microseconds; may be empty where windows go by count
};

/// How events become steps. The first event after a reset opens the window it lies in.
struct EventWindow {
  int64_t microseconds = 1000;  ///< 1..2^40; windows start at multiples of it
  int64_t count = 0;            ///< more than 0: a step for every `count` events, whatever their times
  int clock_bits = 0;  ///< 8..40: times are a counter of so many bits that starts again at 0; 0: they are not
  int64_t max_gap = 1000;  ///< empty windows run in one gap, 0..2^31; the others are skipped and counted

  bool operator==(const EventWindow&) const = default;
};

/// What a push did.
struct EventReport {
  int64_t steps = 0;    ///< steps run, those of empty windows included
  int64_t late = 0;     ///< events dropped, because the step of their window had been run
  int64_t skipped = 0;  ///< empty windows that were not run (max_gap)
};

/// Called after each step; `Session::output` and `recordings` are that step's. It must not run, push, flush
/// or reset.
using EventStep = std::function<void()>;

}  // namespace snncore
