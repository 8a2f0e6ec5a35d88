#include <algorithm>
#include <string_view>

#include "neurons/cuba_lif.h"
#include "neurons/lif.h"
#include "neurons/neuron.h"
#include "neurons/psn.h"
#include "ops/infer.h"
#include "ops/op.h"

namespace snncore::ops {
namespace {

std::vector<Role> neuron_roles() {
  std::vector<Role> roles;
  for (const char* name : neurons::neuron_roles()) roles.push_back({name, DType::kF32});
  return roles;
}

/// "M.*" covers M.0, M.1 ...; a number has one spelling.
bool covers(std::string_view pattern, const std::string& role) {
  if (!pattern.ends_with(".*")) return role == pattern;
  const std::string_view stem = pattern.substr(0, pattern.size() - 1);
  return role.starts_with(stem) && role.size() > stem.size() &&
         std::all_of(role.begin() + static_cast<std::ptrdiff_t>(stem.size()), role.end(),
                     [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

const std::vector<OpDef>& all_ops() {
  static const std::vector<Role> kWeighted = {
      {"weight", DType::kF32}, {"scale", DType::kF64}, {"bias", DType::kF32, true}};
  static const std::vector<Role> kRequant = {{"M.*", DType::kI32, true},
                                             {"K.*", DType::kI32, true},
                                             {"C", DType::kI32, true},
                                             {"n", DType::kI32, true}};
  static const std::vector<Role> kLif = {{"theta", DType::kI32, true},
                                         {"psi", DType::kI32, true},
                                         {"load", DType::kI32},
                                         {"edges", DType::kI32},
                                         {"gamma", DType::kI32}};
  static const std::vector<Role> kPsn = {{"weight", DType::kF32}, {"bias", DType::kF32}};
  static const std::vector<Role> kCuba = {{"theta", DType::kI32, true}, {"bias", DType::kI32, true}};
  static const std::vector<Role> kSaccade = {{"mix", DType::kF64}, {"threshold", DType::kF64}};
  static const std::vector<Role> kReadout = {{"scale", DType::kF64}, {"bias", DType::kF64, true}};
  static const std::vector<OpDef> kOps = {
      {"conv2d", 1, {"stride", "padding", "dilation", "groups"}, kWeighted, infer_conv2d},
      {"linear", 1, {}, kWeighted, infer_linear},
      {"requant", 1, {"wide"}, kRequant, infer_requant},
      {"residual", 1, {"unit"}, kRequant, infer_residual},
      {"lif", 1, neurons::lif_attrs(), kLif, neurons::infer_lif},
      {"if", 1, neurons::lif_attrs(), kLif, neurons::infer_if},
      {"neuron", 1, neurons::neuron_attrs(), neuron_roles(), neurons::infer_neuron},
      {"psn", 1, {}, kPsn, neurons::infer_psn},
      {"cuba_lif", 1, {"current_decay", "decay", "input_shift"}, kCuba, neurons::infer_cuba_lif},
      {"saccade", 1, {"mode"}, kSaccade, infer_saccade},
      {"maxpool2d", 1, {"kernel", "stride", "padding"}, {}, infer_maxpool2d},
      {"avgpool2d", 1, {"kernel", "stride", "padding"}, {}, infer_avgpool2d},
      {"add", 1, {}, {}, infer_add},
      {"couple", 1, {}, {}, infer_couple},
      {"flatten", 1, {}, {}, infer_flatten},
      {"delay", 1, {"steps"}, {}, infer_delay},
      {"attention", 1, {"heads"}, {}, infer_attention},
      {"map_scores", 1, {"variant", "heads"}, {}, infer_map_scores},
      {"map_product", 1, {"variant", "heads"}, {}, infer_map_product},
      {"count", 1, {"over", "heads"}, {}, infer_count},
      {"mask", 1, {}, {}, infer_mask},
      {"readout", 1, {"mode"}, kReadout, infer_readout},
  };
  return kOps;
}

bool is_neuron(const std::string& op) {
  return op == "lif" || op == "if" || op == "cuba_lif" || op == "neuron" || op == "psn";
}

const Role* find_role(const OpDef& def, const std::string& role) {
  const auto it = std::ranges::find_if(def.roles, [&](const Role& r) { return covers(r.name, role); });
  return it == def.roles.end() ? nullptr : &*it;
}

const OpDef* find_op(const std::string& op, int version) {
  for (const OpDef& def : all_ops()) {
    if (op == def.op && version == def.version) return &def;
  }
  return nullptr;
}

}  // namespace snncore::ops
