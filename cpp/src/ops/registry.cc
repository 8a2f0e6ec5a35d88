#include "neurons/cuba_lif.h"
#include "neurons/lif.h"
#include "neurons/neuron.h"
#include "neurons/psn.h"
#include "ops/infer.h"
#include "ops/op.h"

namespace snncore::ops {

const std::vector<OpDef>& all_ops() {
  static const std::vector<OpDef> kOps = {
      {"conv2d", 1, {"stride", "padding", "dilation", "groups"}, {"weight", "scale", "bias"}, infer_conv2d},
      {"linear", 1, {}, {"weight", "scale", "bias"}, infer_linear},
      {"requant", 1, {"wide"}, {"M.*", "K.*", "C", "n"}, infer_requant},
      {"residual", 1, {"unit"}, {"M.*", "K.*", "C", "n"}, infer_residual},
      {"lif", 1, neurons::lif_attrs(), {"theta", "psi", "load", "edges", "gamma"}, neurons::infer_lif},
      {"if", 1, neurons::lif_attrs(), {"theta", "psi", "load", "edges", "gamma"}, neurons::infer_if},
      {"neuron", 1, neurons::neuron_attrs(), neurons::neuron_roles(), neurons::infer_neuron},
      {"psn", 1, {}, {"weight", "bias"}, neurons::infer_psn},
      {"cuba_lif", 1, {"current_decay", "decay", "input_shift"}, {"theta", "bias"}, neurons::infer_cuba_lif},
      {"saccade", 1, {"mode"}, {"mix", "threshold"}, infer_saccade},
      {"maxpool2d", 1, {"kernel", "stride", "padding"}, {}, infer_maxpool2d},
      {"avgpool2d", 1, {"kernel", "stride", "padding"}, {}, infer_avgpool2d},
      {"add", 1, {}, {}, infer_add},
      {"flatten", 1, {}, {}, infer_flatten},
      {"delay", 1, {"steps"}, {}, infer_delay},
      {"attention", 1, {"heads"}, {}, infer_attention},
      {"count", 1, {"over", "heads"}, {}, infer_count},
      {"mask", 1, {}, {}, infer_mask},
      {"readout", 1, {"mode"}, {"scale", "bias"}, infer_readout},
  };
  return kOps;
}

bool is_neuron(const std::string& op) {
  return op == "lif" || op == "if" || op == "cuba_lif" || op == "neuron" || op == "psn";
}

const OpDef* find_op(const std::string& op, int version) {
  for (const OpDef& def : all_ops()) {
    if (op == def.op && version == def.version) return &def;
  }
  return nullptr;
}

}  // namespace snncore::ops
