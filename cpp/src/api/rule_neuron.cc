// The parametrised neuron from the words and numbers of its spec.
#include <algorithm>

#include "api/rule_neuron.h"

#include "base/checked.h"

namespace snncore {

std::vector<float> in_file_order(const std::string& label, const std::string& role, const NeuronValue& value,
                                 const ops::Edge& x, const Shape& flattened, Shape* shape) {
  const auto count = static_cast<int64_t>(value.values.size());
  const Shape user = x.is_image() ? Shape{x.shape[2], x.shape[0], x.shape[1]} : x.shape;
  const bool one = count == 1 && value.shape.size() <= 1, channels = value.shape == Shape{x.channels()};
  require(one || ((channels || value.shape == user) && count == element_count(value.shape, label)),
          ErrorCode::kShape,
          label + ": " + role + " must be one number, [" + std::to_string(x.channels()) + "] or " +
              shape_string(user) + ", received " + shape_string(value.shape));
  std::vector<float> out(value.values.begin(), value.values.end());
  *shape = one ? Shape{1} : value.shape == user ? x.shape : value.shape;
  const bool image = !one && x.is_image() && value.shape == user, folded = !one && !flattened.empty();
  if (!image && !folded) return out;
  const Shape hwc = image ? x.shape : flattened;
  const auto positions = static_cast<size_t>(hwc[0] * hwc[1]), depth = static_cast<size_t>(hwc[2]);
  for (size_t c = 0; c < depth; ++c) {
    for (size_t p = 0; p < positions; ++p) out[p * depth + c] = value.values[c * positions + p];
  }
  return out;
}

ops::Attrs rule_attrs(const RuleNeuronSpec& s) {
  return {{"synapse", s.synapse},
          {"charge", s.charge},
          {"fire", s.fire},
          {"most", s.most},
          {"voltage", s.voltage},
          {"reset", s.reset},
          {"reset_step", s.reset_step},
          {"correct", s.correct},
          {"floor", s.floor},
          {"refractory", s.refractory},
          {"refractory_steps", s.refractory_steps}};
}

}  // namespace snncore
