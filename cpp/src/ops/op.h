// What an operation is: the vocabulary that ops, neurons, graph and runtime share.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include <snncore/error.h>
#include <snncore/tensor.h>

#include "tensor/tensor.h"

namespace snncore::ops {

enum class EdgeType : uint8_t { kSpike, kCount, kPixel, kSum, kCurrent, kStream, kReal };

/// One step of one sample of a value (docs/format.md, "Edges").
struct Edge {
  EdgeType type = EdgeType::kReal;
  Shape shape;                      // [H, W, C] or [F]
  int64_t lo = 0, hi = 0;           // range of integers
  int64_t divisor = 1;              // counts: the value of one count is 1 / divisor
  std::vector<int64_t> zero_point;  // pixel edges (and f32 inputs made from pixels), one per channel
  double scale = 0.0;

  [[nodiscard]] bool is_image() const noexcept { return shape.size() == 3; }
  [[nodiscard]] int64_t channels() const noexcept { return shape.back(); }
  [[nodiscard]] int64_t pixels() const noexcept { return is_image() ? shape[0] * shape[1] : 1; }
  bool operator==(const Edge&) const = default;
};

/// The operations that fire.
bool is_neuron(const std::string& op);

/// "b1", "u<p>", "u8", "i32" or "f32", as files spell it.
std::string edge_dtype(const Edge& edge);

using Attr = std::variant<bool, int64_t, double, std::string, std::vector<int64_t>>;
using Attrs = std::map<std::string, Attr>;

struct Node {
  std::string name;
  std::string op;
  int version = 1;
  std::vector<std::string> inputs, outputs;
  Attrs attrs;
  std::map<std::string, std::string> tensors;  // role -> tensor name
};

using TensorMap = std::map<std::string, tensor::Tensor>;

/// A node with what its names stand for, as `infer` and the planner see it. Getters throw Error(kFormat) that
/// names the node and the key when something is missing or of the wrong type.
struct NodeView {
  const Node& node;
  std::vector<const Edge*> inputs;
  const TensorMap& tensors;

  [[nodiscard]] std::string label() const { return node.op + " '" + node.name + "'"; }
  [[noreturn]] void fail(const std::string& message, ErrorCode code = ErrorCode::kFormat) const;

  [[nodiscard]] int64_t integer(const std::string& key) const;
  [[nodiscard]] double number(const std::string& key) const;
  [[nodiscard]] bool flag(const std::string& key) const;
  [[nodiscard]] const std::string& text(const std::string& key) const;
  [[nodiscard]] const std::vector<int64_t>& integers(const std::string& key, size_t count) const;

  /// The tensor of a role, or null.
  [[nodiscard]] const tensor::Tensor* find(const std::string& role) const;
  /// The tensor of a role with this dtype and shape.
  [[nodiscard]] const tensor::Tensor& get(const std::string& role, DType dtype, const Shape& shape) const;
};

/// A tensor that a node may carry, and what it is in memory; weights may be codes instead.
struct Role {
  const char* name;  // "M.*" stands for M.0, M.1 ...
  DType dtype;
  bool of_channels = false;  // [C]; [1] says that all channels have the same
};

/// What a node may carry; anything else in a file is refused. `infer` gives the output edge, checks every
/// attribute and tensor against the inputs, or throws Error(kFormat) with layer, expected and received.
struct OpDef {
  const char* op;
  int version;
  std::vector<const char*> attrs;
  std::vector<Role> roles;
  Edge (*infer)(const NodeView& node);
};

/// The definition, or null. One explicit list: registry.cc.
const OpDef* find_op(const std::string& op, int version);
const std::vector<OpDef>& all_ops();
/// The role of a node's tensor, or null.
const Role* find_role(const OpDef& def, const std::string& role);

}  // namespace snncore::ops
