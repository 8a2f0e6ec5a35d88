// How a tensor is kept in a file: in fewer bytes where that loses nothing (docs/format.md, "Tensors").
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "format/json.h"
#include "graph/graph.h"

namespace snncore::format {

/// How often nodes name each tensor.
using Uses = std::map<std::string, int>;
Uses count_uses(const graph::Graph& graph);

/// A node's tensor that one number says: plain, the node's alone, of its usual name, with one value
/// throughout.
bool is_number(const ops::Node& node, const std::string& role, const tensor::Tensor& tensor, int uses);

/// The value of such a tensor.
nlohmann::json to_number(const tensor::Tensor& tensor);
/// A tensor [1] of a number, as the role wants it.
tensor::Tensor from_number(const JsonView& at, DType dtype);

/// The tensor in the narrowest type that holds its values: I32 as I8 or I16, F64 as F32; else as it is.
tensor::Tensor narrowed(const tensor::Tensor& tensor);
/// The way back to the type of a role: I8 and I16 to I32, F32 to F64; anything else as it is.
tensor::Tensor widened(const tensor::Tensor& tensor, DType dtype);

/// Bytes that a file holds for a node's tensors; numbers in the document are none.
size_t stored_bytes(const graph::Graph& graph, const ops::Node& node, const Uses& uses);

}  // namespace snncore::format
