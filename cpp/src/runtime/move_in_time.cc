#include "runtime/move_in_time.h"

#include <cstring>

#include "base/checked.h"

namespace snncore::runtime {
namespace {

// Copies whole samples; a chunk is one sample of one step.
class MoveStep : public Step {
 public:
  explicit MoveStep(const Slot& slot) : slot_(slot) {}
  [[nodiscard]] size_t chunks() const noexcept override { return slot_.batch; }

 protected:
  [[nodiscard]] std::byte* sample(const Frame& f, size_t t, size_t n) const noexcept {
    return slot_.row(f, t, n, 0);
  }
  [[nodiscard]] size_t bytes() const noexcept { return slot_.sample_bytes(); }

  Slot slot_;
};

class ShiftStep final : public MoveStep {
 public:
  ShiftStep(const Slot& in, const Slot& out, size_t steps) : MoveStep(out), in_(in), steps_(steps) {}
  [[nodiscard]] size_t chunks() const noexcept override { return slot_.steps * slot_.batch; }
  void run(const Frame& f, size_t chunk, std::byte*) const noexcept override {
    const size_t t = chunk / slot_.batch, n = chunk % slot_.batch;
    if (t < steps_) {
      std::memset(sample(f, t, n), 0, bytes());
    } else {
      std::memcpy(sample(f, t, n), in_.row(f, t - steps_, n, 0), bytes());
    }
  }

 private:
  Slot in_;
  size_t steps_;
};

class RingStep : public MoveStep {
 public:
  RingStep(const Slot& slot, const Ring& ring) : MoveStep(slot), ring_(ring) {}

 protected:
  [[nodiscard]] std::byte* place(const Frame& f, size_t n) const noexcept {
    const size_t at = static_cast<size_t>(f.steps_before) % ring_.steps;
    return f.state + ring_.state_offset + at * slot_.step_bytes() + n * bytes();
  }

 private:
  Ring ring_;
};

class RecallStep final : public RingStep {
 public:
  using RingStep::RingStep;
  void run(const Frame& f, size_t n, std::byte*) const noexcept override {
    std::memcpy(sample(f, 0, n), place(f, n), bytes());
  }
};

class RememberStep final : public RingStep {
 public:
  using RingStep::RingStep;
  void run(const Frame& f, size_t n, std::byte*) const noexcept override {
    std::memcpy(place(f, n), sample(f, 0, n), bytes());
  }
};

// `slot_` is the frame.
class FrameStep : public MoveStep {
 public:
  FrameStep(const Slot& frame, const Slot& whole) : MoveStep(frame), whole_(whole) {}

 protected:
  [[nodiscard]] std::byte* now(const Frame& f, size_t n) const noexcept {
    return whole_.row(f, static_cast<size_t>(f.steps_before), n, 0);
  }

 private:
  Slot whole_;
};

class TakeFrameStep final : public FrameStep {
 public:
  using FrameStep::FrameStep;
  void run(const Frame& f, size_t n, std::byte*) const noexcept override {
    std::memcpy(sample(f, 0, n), now(f, n), bytes());
  }
};

class KeepFrameStep final : public FrameStep {
 public:
  using FrameStep::FrameStep;
  void run(const Frame& f, size_t n, std::byte*) const noexcept override {
    std::memcpy(now(f, n), sample(f, 0, n), bytes());
  }
};

}  // namespace

std::unique_ptr<Step> shift_step(const Slot& in, const Slot& out, size_t steps) {
  return std::make_unique<ShiftStep>(in, out, steps);
}

std::unique_ptr<Step> recall_step(const Ring& ring, const Slot& out) {
  return std::make_unique<RecallStep>(out, ring);
}

std::unique_ptr<Step> remember_step(const Slot& in, const Ring& ring) {
  return std::make_unique<RememberStep>(in, ring);
}

size_t ring_bytes(const Slot& in, size_t steps) {
  return static_cast<size_t>(
      checked_mul(static_cast<int64_t>(in.step_bytes()), static_cast<int64_t>(steps), "delay"));
}

std::unique_ptr<Step> take_frame_step(const Slot& whole, const Slot& frame) {
  return std::make_unique<TakeFrameStep>(frame, whole);
}

std::unique_ptr<Step> keep_frame_step(const Slot& frame, const Slot& whole) {
  return std::make_unique<KeepFrameStep>(frame, whole);
}

}  // namespace snncore::runtime
