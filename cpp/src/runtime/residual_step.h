// A writer of an int32 stream: what its layers give, requantised and added.
#pragma once

#include <memory>
#include <vector>

#include "runtime/neuron_step.h"

namespace snncore::runtime {

/// `place.out`: int32 rows; `streams`: what is added as it is.
std::unique_ptr<Step> residual_step(IntCurrents currents, std::vector<Slot> streams,
                                    const NeuronPlace& place);

}  // namespace snncore::runtime
