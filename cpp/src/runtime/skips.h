// What a run leaves out because it changes nothing, and the switch to measure what that is worth.
#pragma once

namespace snncore::runtime {

/// Are sums of silence, and values of patches that are never looked at, left out? They are unless a
/// measurement or a test of all sessions says otherwise.
bool skips() noexcept;
void set_skips(bool on) noexcept;

}  // namespace snncore::runtime
