// The saccadic neuron: which patches are looked at, from counts of spikes (docs/format.md, `saccade`).
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "runtime/frame.h"
#include "runtime/head_counts.h"

namespace snncore::runtime {

struct Saccade {
  std::vector<double> mix;                     // [T][T], or empty: only the present step counts
  std::vector<double> threshold;               // [T]
  std::optional<Slot> kappa;                   // sums of one pixel, where they scale those of q
  std::optional<size_t> q_state, kappa_state;  // the steps before, where a run does not take all of them
};

/// Bytes of state that the steps of one of the two inputs take.
size_t saccade_state_bytes(const Slot& sums, size_t steps) noexcept;

/// The counts lie in `q`, or are made where they are needed.
std::unique_ptr<Step> saccade_step(Saccade saccade, const Slot& q, const Slot& out);
std::unique_ptr<Step> saccade_step(Saccade saccade, HeadCounts q, const Slot& out);

}  // namespace snncore::runtime
