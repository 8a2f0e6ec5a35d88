#include "neurons/neuron.h"

#include <algorithm>
#include <cmath>

#include "ops/check.h"

namespace snncore::neurons {
namespace {

using namespace kernels;  // the stages
using ops::NodeView;

constexpr int64_t kMostSpikes = 65535, kMostSteps = 32767;

// The words of a stage, in the order of its enumeration.
template <typename Stage>
Stage one_of(const NodeView& view, const char* key, std::initializer_list<const char*> words) {
  const std::string& given = view.text(key);
  std::string list;
  for (const char* word : words) {
    if (given == word) return static_cast<Stage>(std::ranges::find(words, given) - words.begin());
    list += std::string(list.empty() ? "" : ", ") + word;
  }
  view.fail("attribute '" + std::string(key) + "' must be one of " + list + ", is '" + given + "'");
}

bool counts(const NeuronRule& rule) {
  return rule.fire == NeuronFire::kCount || rule.fire == NeuronFire::kRound;
}

void check_stages(const NodeView& view, const NeuronRule& r) {
  if (r.delayed() && r.fire != NeuronFire::kAtLeast && r.fire != NeuronFire::kAbove) {
    view.fail("fire '" + view.text("fire") + "' needs voltage 'new' and reset_step 'same'");
  }
  if (r.delayed() && r.refractory != NeuronRefractory::kNone) {
    view.fail("a refractory neuron needs voltage 'new' and reset_step 'same'");
  }
  if (r.fire == NeuronFire::kNone &&
      (r.reset != NeuronReset::kNone || r.refractory != NeuronRefractory::kNone)) {
    view.fail("fire 'none' needs reset 'none' and refractory 'none'");
  }
  if (r.reset == NeuronReset::kNone && r.reset_step != NeuronResetStep::kSame) {
    view.fail("reset 'none' needs reset_step 'same'");
  }
  if (r.correct &&
      (r.reset_step == NeuronResetStep::kSame || r.old_voltage || r.reset == NeuronReset::kValue)) {
    view.fail("correct needs voltage 'new', a delayed reset_step and reset 'zero' or 'subtract'");
  }
}

void check_values(const NodeView& view, const NeuronRule& rule, const ops::Edge& x) {
  for (const char* role : neuron_roles()) {
    const tensor::Tensor* t = view.find(role);
    const bool used = uses_value(rule, role);
    if (t == nullptr) {
      if (used && (std::string(role) == "rate" || std::string(role) == "threshold")) {
        view.fail("tensor '" + std::string(role) + "' is missing");
      }
      continue;
    }
    if (!used) view.fail("tensor '" + std::string(role) + "' is not used by these stages");
    const bool fits = t->shape == Shape{1} || t->shape == Shape{x.channels()} || t->shape == x.shape;
    if (!fits || t->dtype != DType::kF32) {
      view.fail("tensor '" + std::string(role) + "' must be F32 [1], [" + std::to_string(x.channels()) +
                "] or " + shape_string(x.shape) + ", is " + shape_string(t->shape));
    }
    ops::expect_finite(view, role, *t);
  }
}

bool any(const NodeView& view, const char* role, bool (*bad)(float)) {
  const tensor::Tensor& t = *view.find(role);
  return std::any_of(t.as<float>(), t.as<float>() + t.bytes / sizeof(float), bad);
}

}  // namespace

std::vector<const char*> neuron_attrs() {
  return {"synapse",    "charge",  "fire",  "most",       "voltage",         "reset",
          "reset_step", "correct", "floor", "refractory", "refractory_steps"};
}

std::vector<const char*> neuron_roles() {
  return {"rate",      "input_gain",  "leak", "bias",        "synapse_rate", "synapse_gain",
          "threshold", "reset_value", "drop", "floor_value", "initial"};
}

NeuronRule neuron_rule(const NodeView& view) {
  NeuronRule r;
  r.synapse = one_of<NeuronSynapse>(view, "synapse", {"none", "decay_add", "add_decay", "jump", "relax"});
  r.charge = one_of<NeuronCharge>(view, "charge",
                                  {"decay", "relax_divide", "relax_multiply", "leak_divide", "leak_multiply",
                                   "euler_leak_first", "euler_input_first", "rest"});
  r.fire = one_of<NeuronFire>(view, "fire", {"at_least", "above", "count", "round", "none"});
  r.old_voltage = one_of<int>(view, "voltage", {"new", "old"}) == 1;
  r.reset = one_of<NeuronReset>(view, "reset", {"none", "zero", "value", "subtract"});
  r.reset_step = one_of<NeuronResetStep>(view, "reset_step", {"same", "next_state", "next_charge"});
  r.correct = view.flag("correct");
  r.floor = one_of<NeuronFloor>(view, "floor", {"none", "clamp", "shift"});
  r.refractory = one_of<NeuronRefractory>(view, "refractory", {"none", "input", "hold"});
  const bool waits = r.refractory != NeuronRefractory::kNone;
  r.most = static_cast<float>(ops::integer_in(view, "most", 1, counts(r) ? kMostSpikes : 1));
  r.refractory_steps =
      static_cast<float>(ops::integer_in(view, "refractory_steps", waits ? 1 : 0, waits ? kMostSteps : 0));
  check_stages(view, r);
  return r;
}

bool uses_value(const NeuronRule& r, const std::string& role) {
  if (role == "synapse_rate") return r.synapse != NeuronSynapse::kNone;
  if (role == "leak") return r.charge != NeuronCharge::kDecay;
  if (role == "threshold") return r.fire != NeuronFire::kNone;
  if (role == "reset_value") return r.reset == NeuronReset::kValue;
  if (role == "drop") return r.reset == NeuronReset::kSubtract;
  if (role == "floor_value") return r.floor != NeuronFloor::kNone;
  return true;
}

float default_value(const std::string& role) {
  return role == "rate" || role == "input_gain" || role == "synapse_gain" || role == "threshold" ? 1.0F
                                                                                                 : 0.0F;
}

ops::Edge infer_neuron(const NodeView& view) {
  ops::expect_attrs(view, {"synapse", "charge", "fire", "most", "voltage", "reset", "reset_step", "correct",
                           "floor", "refractory", "refractory_steps"});
  ops::expect_roles(view, {},
                    {"rate", "input_gain", "leak", "bias", "synapse_rate", "synapse_gain", "threshold",
                     "reset_value", "drop", "floor_value", "initial"});
  ops::expect_inputs(view, 1);
  const ops::Edge& x = *view.inputs[0];
  const bool real = x.type == ops::EdgeType::kReal;
  if (!real && x.type != ops::EdgeType::kSum) ops::refuse_input(view, x, "f32 or an i32 sum");
  const NeuronRule rule = neuron_rule(view);
  check_values(view, rule, x);
  const bool divides = rule.charge == NeuronCharge::kRelaxDivide || rule.charge == NeuronCharge::kLeakDivide;
  if (divides && any(view, "rate", [](float k) { return k == 0; })) {
    view.fail("tensor 'rate' divides in charge '" + view.text("charge") + "' and must not be 0");
  }
  if (rule.fire == NeuronFire::kNone) return ops::real_edge(x.shape);
  if (!counts(rule)) return ops::spike_edge(x.shape);
  if (any(view, "threshold", [](float th) { return !(th > 0); })) {
    view.fail("fire '" + view.text("fire") + "' needs a threshold above 0");
  }
  return ops::count_edge(view, x.shape, static_cast<int64_t>(rule.most), 1);
}

bool has_current(const ops::Node& node) {
  if (node.op == "cuba_lif") return true;
  const auto synapse = node.attrs.find("synapse");
  return node.op == "neuron" && synapse != node.attrs.end() &&
         std::get<std::string>(synapse->second) != "none";
}

}  // namespace snncore::neurons
