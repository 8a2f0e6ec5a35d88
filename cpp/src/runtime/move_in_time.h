// Values moved along time: delays, and the frames of a run that goes step by step.
#pragma once

#include <memory>

#include "runtime/frame.h"

namespace snncore::runtime {

/// All steps at once: out[t] = in[t - steps], zero before.
std::unique_ptr<Step> shift_step(const Slot& in, const Slot& out, size_t steps);

/// One step at a time: a ring of `steps` frames in the state. `recall` gives what `remember`, at the end of
/// the step, put there `steps` steps ago.
struct Ring {
  size_t state_offset = 0, steps = 1;
};
std::unique_ptr<Step> recall_step(const Ring& ring, const Slot& out);
std::unique_ptr<Step> remember_step(const Slot& in, const Ring& ring);
size_t ring_bytes(const Slot& in, size_t steps);

/// The frame of the current step out of those of the whole run, and into them.
std::unique_ptr<Step> take_frame_step(const Slot& whole, const Slot& frame);
std::unique_ptr<Step> keep_frame_step(const Slot& frame, const Slot& whole);

}  // namespace snncore::runtime
