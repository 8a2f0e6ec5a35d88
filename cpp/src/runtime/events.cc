#include "runtime/events.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/bits.h"
#include "base/checked.h"

namespace snncore::runtime {
namespace {

using ops::EdgeType;

constexpr int64_t kMaxTime = int64_t{1} << 61;

int64_t floor_to(int64_t time, int64_t step) noexcept {
  const int64_t rest = time % step;
  return time - (rest < 0 ? rest + step : rest);
}

TimeRange time_range(const EventWindow& w) noexcept {
  if (w.clock_bits == 0) return {-kMaxTime, kMaxTime};
  return {0, (int64_t{1} << w.clock_bits) - 1};
}

[[noreturn]] void fail_time(const std::string& what, int64_t time, const TimeRange& range) {
  throw Error(ErrorCode::kInvalidArgument, what + " has time " + std::to_string(time) + ", expected " +
                                               std::to_string(range.least) + ".." +
                                               std::to_string(range.most));
}

size_t unit_bytes(EdgeType type) noexcept {
  return type == EdgeType::kSpike   ? sizeof(uint64_t)
         : type == EdgeType::kCount ? sizeof(uint16_t)
                                    : sizeof(float);
}

}  // namespace

void check_window(const EventWindow& w) {
  const auto check = [](const char* name, int64_t value, int64_t least, int64_t most) {
    if (value >= least && value <= most) return;
    throw Error(ErrorCode::kInvalidArgument, std::string("events: ") + name + " must be " +
                                                 std::to_string(least) + ".." + std::to_string(most) +
                                                 ", received " + std::to_string(value));
  };
  check("window_us", w.microseconds, 1, int64_t{1} << 40);
  check("count", w.count, 0, int64_t{1} << 40);
  check("max_gap", w.max_gap, 0, int64_t{1} << 31);
  if (w.clock_bits != 0) check("clock_bits", w.clock_bits, 8, 40);
}

void check_time(int64_t time, const EventWindow& window) {
  const TimeRange range = time_range(window);
  if (time < range.least || time > range.most) fail_time("events: now", time, range);
}

// The time nearest to the last one that reads the same on the camera's clock.
int64_t EventClock::unwrapped(int64_t time) noexcept {
  if (window_.clock_bits == 0) return time;
  if (!started_) return last_ = time;
  const int unused = 64 - window_.clock_bits;
  const uint64_t ahead = (static_cast<uint64_t>(time) - static_cast<uint64_t>(last_)) << unused;
  const auto moved = static_cast<uint64_t>(static_cast<int64_t>(ahead) >> unused);
  return last_ = static_cast<int64_t>(static_cast<uint64_t>(last_) + moved);
}

EventClock::Move EventClock::move_to(int64_t time, bool event) noexcept {
  const int64_t at = unwrapped(time), length = window_.microseconds;
  Move move;
  if (!started_) {
    started_ = true;
    begin_ = floor_to(at, length);
  } else if (at < begin_) {
    move.late = true;
    return move;
  } else if (at - begin_ >= length) {
    int64_t ahead = (at - begin_) / length;
    begin_ += ahead * length;
    move.close = held_ > 0;
    ahead -= move.close ? 1 : 0;
    move.empty = std::min(ahead, window_.max_gap);
    move.skipped = ahead - move.empty;
    held_ = 0;
  }
  held_ += event ? 1 : 0;
  return move;
}

bool EventClock::count() noexcept {
  held_ = held_ + 1 == window_.count ? 0 : held_ + 1;
  return held_ == 0;
}

bool EventClock::close() noexcept {
  const bool held = held_ > 0;
  if (held && window_.count == 0) begin_ += window_.microseconds;
  held_ = 0;
  return held;
}

EventBinner::EventBinner(const Program::Impl::Input& input)
    : input_(input),
      width_(input.edge.is_image() ? input.slot.width : input.slot.channels),
      height_(input.edge.is_image() ? input.slot.height : 1),
      channels_(input.edge.is_image() ? input.slot.channels : 1) {
  require(input.edge.type != EdgeType::kPixel && channels_ <= 2, ErrorCode::kUnsupported,
          input.name + " (" + ops::edge_dtype(input.edge) + ", " + std::to_string(channels_) +
              " channels) takes no events: they need spikes, counts or f32 in 1 or 2 channels, or a vector");
  touched_.reserve(input.slot.bytes() / unit_bytes(input.edge.type));
}

// Builds no message unless there is something to say: a push allocates nothing.
void EventBinner::check(const Events& e, const EventWindow& window) const {
  const size_t count = e.x.size();
  const bool timeless = e.time.empty() && window.count > 0;
  if (e.y.size() != count || e.polarity.size() != count || (!timeless && e.time.size() != count)) {
    throw Error(ErrorCode::kShape, "events: expected columns of one length, received x " +
                                       std::to_string(count) + ", y " + std::to_string(e.y.size()) +
                                       ", polarity " + std::to_string(e.polarity.size()) + ", time " +
                                       std::to_string(e.time.size()));
  }
  const TimeRange range = time_range(window);
  for (size_t i = 0; i < count; ++i) {
    const bool on_sensor = e.x[i] < width_ && e.y[i] < height_;
    const bool in_time = timeless || (e.time[i] >= range.least && e.time[i] <= range.most);
    if (!on_sensor || e.polarity[i] > 1 || !in_time) refuse(e, i, range);
  }
}

void EventBinner::refuse(const Events& e, size_t i, const TimeRange& range) const {
  const std::string event = "events: event " + std::to_string(i);
  if (e.x[i] >= width_ || e.y[i] >= height_) {
    throw Error(ErrorCode::kInvalidArgument,
                event + " at x " + std::to_string(e.x[i]) + ", y " + std::to_string(e.y[i]) + " is outside " +
                    input_.name + " of " + std::to_string(width_) + " x " + std::to_string(height_));
  }
  if (e.polarity[i] > 1) {
    throw Error(ErrorCode::kInvalidArgument,
                event + " has polarity " + std::to_string(e.polarity[i]) + ", expected 0 or 1");
  }
  fail_time(event, e.time[i], range);
}

template <typename T>
void EventBinner::touch(T* at, const std::byte* base) noexcept {
  if (*at != T{}) return;
  touched_.push_back(
      static_cast<uint32_t>(static_cast<size_t>(reinterpret_cast<std::byte*>(at) - base) / sizeof(T)));
}

void EventBinner::place(const Frame& frame, uint16_t x, uint16_t y, uint8_t polarity) noexcept {
  const bool image = input_.edge.is_image();
  const std::byte* base = frame.scratch + input_.slot.offset;
  std::byte* row = input_.slot.row(frame, 0, 0, image ? y * width_ + x : 0);
  const size_t channel = !image ? x : channels_ == 2 ? polarity : 0;
  if (input_.edge.type == EdgeType::kSpike) {
    uint64_t* word = reinterpret_cast<uint64_t*>(row) + channel / 64;
    touch(word, base);
    *word |= uint64_t{1} << channel % 64;
  } else if (input_.edge.type == EdgeType::kCount) {
    uint16_t* count = reinterpret_cast<uint16_t*>(row) + channel;
    touch(count, base);
    if (*count < input_.edge.hi) ++*count;
  } else {
    float* value = reinterpret_cast<float*>(row) + channel;
    touch(value, base);
    *value += 1.0F;
  }
}

void EventBinner::clear(const Frame& frame) noexcept {
  std::byte* base = frame.scratch + input_.slot.offset;
  const size_t unit = unit_bytes(input_.edge.type);
  for (const uint32_t i : touched_) std::memset(base + i * unit, 0, unit);
  touched_.clear();
}

void EventBinner::wipe(const Frame& frame) noexcept {
  std::memset(frame.scratch + input_.slot.offset, 0, input_.slot.bytes());
  touched_.clear();
}

}  // namespace snncore::runtime
