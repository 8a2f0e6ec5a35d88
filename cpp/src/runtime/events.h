// Events into windows: which step an event belongs to, and where it lies in the input slot.
#pragma once

#include <cstdint>
#include <vector>

#include <snncore/events.h>

#include "runtime/program.h"

namespace snncore::runtime {

/// The time of a stream of events, in windows. A copy of it can run ahead to see what a push would do.
class EventClock {
 public:
  explicit EventClock(const EventWindow& window) noexcept : window_(window) {}

  /// What has to happen before an event is placed.
  struct Move {
    bool late = false;    // nothing: the event is dropped
    bool close = false;   // run the step of the open window
    int64_t empty = 0;    // then so many steps without input
    int64_t skipped = 0;  // and let so many windows pass
  };
  /// Moves on to the window of `time`; `event` tells whether something is placed in it.
  Move move_to(int64_t time, bool event) noexcept;
  /// One more event, where windows go by count: true when it completes a window.
  bool count() noexcept;
  /// Ends the window; true when it held events.
  bool close() noexcept;

  [[nodiscard]] bool open() const noexcept { return held_ > 0; }
  [[nodiscard]] const EventWindow& window() const noexcept { return window_; }

 private:
  [[nodiscard]] int64_t unwrapped(int64_t time) noexcept;

  EventWindow window_;
  bool started_ = false;
  int64_t held_ = 0;              // events of the open window
  int64_t begin_ = 0, last_ = 0;  // microseconds, unwrapped
};

/// The times that a clock can show.
struct TimeRange {
  int64_t least, most;
};

/// Writes events into the slot of an input, and clears again what it wrote: its cost is that of the events.
class EventBinner {
 public:
  /// Throws Error(kUnsupported) for an input that takes no events.
  explicit EventBinner(const Program::Impl::Input& input);

  /// Throws Error(kInvalidArgument) that names the first event off the sensor.
  void check(const Events& events, const EventWindow& window) const;
  void place(const Frame& frame, uint16_t x, uint16_t y, uint8_t polarity) noexcept;
  void clear(const Frame& frame) noexcept;
  /// Clears the whole slot, whoever wrote it.
  void wipe(const Frame& frame) noexcept;

 private:
  [[noreturn]] void refuse(const Events& events, size_t i, const TimeRange& range) const;
  template <typename T>
  void touch(T* at, const std::byte* base) noexcept;

  const Program::Impl::Input& input_;
  size_t width_, height_, channels_;  // of the sensor; a vector is one row
  std::vector<uint32_t> touched_;     // where words, counts or values are not zero
};

/// Throw Error(kInvalidArgument) for a window outside its ranges, and for a time that its clock cannot show.
void check_window(const EventWindow& window);
void check_time(int64_t time, const EventWindow& window);

}  // namespace snncore::runtime
