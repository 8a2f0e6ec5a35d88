// Operations without weights or neurons: pools, additions, readouts.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "ops/op.h"
#include "runtime/frame.h"
#include "runtime/window.h"

namespace snncore::runtime {

std::unique_ptr<Step> maxpool_step(const Window& window, const Slot& in, const Slot& out);

/// Counts of spikes or counts; or, for real values, their mean.
std::unique_ptr<Step> avgpool_step(const Window& window, const Slot& in, const Slot& out);

/// `divisors[j]`: the divisor of a count input (1 for spikes), used when the result is real.
std::unique_ptr<Step> add_step(std::vector<Slot> inputs, std::vector<float> divisors, const Slot& out);

/// Of three real edges: the first, and half of the sum of the others.
std::unique_ptr<Step> couple_step(std::vector<Slot> inputs, const Slot& out);

enum class ReadoutMode : uint8_t { kSum, kMean, kLast };

struct Readout {
  ReadoutMode mode = ReadoutMode::kMean;
  std::vector<double> scale, bias;     // integer input: one of each for every output
  size_t steps = 1;                    // steps of the input edge in one run
  bool pools = false;                  // of an image: its pixels are added, too
  std::optional<size_t> state_offset;  // running sums of a stream: int64 or float, [batch][outputs]
};

/// `out`: float rows of one step; `sums`: int64 rows for recording, or nothing.
std::unique_ptr<Step> readout_step(Readout readout, const Slot& in, const Slot& out,
                                   std::optional<Slot> sums);

size_t readout_state_bytes(const Slot& in) noexcept;

}  // namespace snncore::runtime
