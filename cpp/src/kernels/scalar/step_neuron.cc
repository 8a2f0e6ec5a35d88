#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {
namespace {

// One neuron: its parameters, its state, and the stages in their order.
struct Neuron {
  const NeuronRule& rule;
  float rate, input_gain, leak, bias, synapse_rate, synapse_gain, threshold, reset_value, drop, floor;
  float v = 0, i = 0, wait = 0, h = 0;

  float synapse(float x) noexcept {
    switch (rule.synapse) {
      case NeuronSynapse::kNone:
        return x;
      case NeuronSynapse::kDecayAdd:
        return i = synapse_rate * i + x;
      case NeuronSynapse::kAddDecay:
        return i = synapse_rate * (i + x);
      case NeuronSynapse::kJump: {
        const float jumped = i + x;
        i = jumped - synapse_rate * jumped;
        return jumped;
      }
      default:
        return i = i + synapse_rate * (x - i);
    }
  }

  float charge(float y) const noexcept {
    switch (rule.charge) {
      case NeuronCharge::kDecay:
        return rate * v + y;
      case NeuronCharge::kRelaxDivide:
        return v + (y - (v - leak)) / rate;
      case NeuronCharge::kRelaxMultiply:
        return v + (y - (v - leak)) * rate;
      case NeuronCharge::kLeakDivide:
        return (v - (v - leak) / rate) + y;
      case NeuronCharge::kLeakMultiply:
        return (v - (v - leak) * rate) + y;
      case NeuronCharge::kEulerLeakFirst:
        return v + rate * ((leak - v) + y);
      case NeuronCharge::kEulerInputFirst:
        return v + rate * ((y + leak) - v);
      default:
        return (rate * (v - leak) + leak) + y;
    }
  }

  // Quotients are bounded before they become integers; NaN gives 0.
  float capped_ratio(float membrane) const noexcept {
    const float ratio = membrane / threshold;
    return !(ratio > 0) ? 0.0f : ratio > rule.most ? rule.most : ratio;
  }

  float fires(float membrane) const noexcept {
    switch (rule.fire) {
      case NeuronFire::kAtLeast:
        return membrane >= threshold ? 1.0f : 0.0f;
      case NeuronFire::kAbove:
        return membrane > threshold ? 1.0f : 0.0f;
      case NeuronFire::kCount:
        return static_cast<float>(static_cast<int32_t>(capped_ratio(membrane)));
      case NeuronFire::kRound:
        return (capped_ratio(membrane) + 8388608.0f) -
               8388608.0f;  // to even at 2^23, where floats are the integers
      default:
        return 0;
    }
  }

  float after(float membrane, float s) const noexcept {
    switch (rule.reset) {
      case NeuronReset::kNone:
        return membrane;
      case NeuronReset::kZero:
        return s > 0 ? 0.0f : membrane;
      case NeuronReset::kValue:
        return s > 0 ? reset_value : membrane;
      default:
        return membrane - s * drop;
    }
  }

  float floored(float kept) const noexcept {
    if (rule.floor == NeuronFloor::kClamp) return kept < floor ? floor : kept;
    if (rule.floor == NeuronFloor::kNone) return kept;
    const float over = kept - floor;
    return (over > 0 ? over : 0.0f) + floor;
  }

  // Returns s; h, v and i are left as they are kept.
  float step(float x) noexcept {
    const float before = v, r = rule.delayed() ? fires(v) : 0.0f;
    float y = input_gain * synapse(synapse_gain * x);
    if (rule.refractory == NeuronRefractory::kInput && wait > 0) y = 0;
    if (rule.reset_step == NeuronResetStep::kNextState) v = after(v, r);
    h = charge(y) + bias;
    if (rule.reset_step == NeuronResetStep::kNextCharge) h = after(h, r);
    float s = rule.old_voltage ? r : fires(h);
    v = rule.reset_step == NeuronResetStep::kSame ? after(h, s) : h;
    if (rule.correct) v = h - (s - r) * (rule.reset == NeuronReset::kSubtract ? drop : h);
    v = floored(v);
    if (rule.refractory == NeuronRefractory::kHold && wait > 0) v = before, s = 0;
    wait = s > 0 ? rule.refractory_steps : wait > 1 ? wait - 1 : 0.0f;
    return s;
  }
};

Neuron neuron_at(const NeuronTile& t, size_t p, size_t c) {
  const auto at = [&](const NeuronValues& values) { return values.row[p * values.stride + c]; };
  Neuron n{.rule = *t.rule,
           .rate = at(t.rate),
           .input_gain = at(t.input_gain),
           .leak = at(t.leak),
           .bias = at(t.bias),
           .synapse_rate = at(t.synapse_rate),
           .synapse_gain = at(t.synapse_gain),
           .threshold = at(t.threshold),
           .reset_value = at(t.reset_value),
           .drop = at(t.drop),
           .floor = at(t.floor)};
  const size_t state = p * t.channels_padded + c;
  n.v = t.first || t.v == nullptr ? at(t.initial) : t.v[state];
  n.i = t.first || t.i == nullptr ? 0.0f : t.i[state];
  n.wait = t.first || t.wait == nullptr ? 0.0f : t.wait[state];
  return n;
}

void write(const NeuronTile& tile, size_t t, size_t p, size_t c, const Neuron& n, float s) {
  const size_t row = t * tile.out_t_stride + p * tile.out_stride;
  if (tile.values != nullptr) {
    tile.values[row + c] = n.h;
  } else if (tile.counts != nullptr) {
    tile.counts[row + c] = static_cast<uint16_t>(s);
  } else {
    uint64_t& word = tile.out[row + c / 64];
    if (c % 64 == 0) word = 0;
    word |= static_cast<uint64_t>(s > 0) << c % 64;
  }
  const size_t kept = t * tile.record_t_stride + p * tile.channels_padded + c;
  if (tile.record != nullptr) tile.record[kept] = n.v;
  if (tile.record_current != nullptr) tile.record_current[kept] = n.i;
}

}  // namespace

void step_neuron_f32(const NeuronTile& tile) {
  for (size_t p = 0; p < tile.pixels; ++p) {
    for (size_t c = 0; c < tile.channels; ++c) {
      Neuron n = neuron_at(tile, p, c);
      const size_t at = p * tile.channels_padded + c;
      for (size_t t = 0; t < tile.steps; ++t) {
        write(tile, t, p, c, n, n.step(tile.currents[t * tile.currents_t_stride + at]));
      }
      if (tile.v != nullptr) tile.v[at] = n.v;
      if (tile.i != nullptr) tile.i[at] = n.i;
      if (tile.wait != nullptr) tile.wait[at] = n.wait;
    }
  }
}

}  // namespace snncore::kernels::scalar
