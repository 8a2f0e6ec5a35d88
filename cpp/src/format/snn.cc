#include "format/snn.h"

#include "base/checked.h"
#include "format/document.h"
#include "format/file.h"
#include "format/safetensors.h"
#include "format/stored.h"

namespace snncore::format {
namespace {

constexpr char kDocument[] = "snncore";

/// The tensors of nodes as a file has them.
std::map<std::string, tensor::Tensor> stored_tensors(const graph::Graph& graph, int format) {
  std::map<std::string, tensor::Tensor> stored;
  const Uses uses = count_uses(graph);
  for (const ops::Node& node : graph.nodes) {
    for (const auto& [role, name] : node.tensors) {
      const tensor::Tensor& t = graph.tensors.at(name);
      if (format == 1) {
        stored.emplace(name, t);
      } else if (!is_number(node, role, t, uses.at(name))) {
        stored.emplace(name, narrowed(t));
      }
    }
  }
  return stored;
}

/// Tensors in the type that their role asks for.
void widen_tensors(graph::Graph& graph) {
  for (const ops::Node& node : graph.nodes) {
    const ops::OpDef* def = ops::find_op(node.op, node.version);
    for (const auto& [role, name] : node.tensors) {
      const ops::Role* known = def == nullptr ? nullptr : ops::find_role(*def, role);
      const auto t = graph.tensors.find(name);
      if (known == nullptr || t == graph.tensors.end()) continue;  // refused when the graph is checked
      t->second = widened(t->second, known->dtype);
    }
  }
}

void expect_all_used(const graph::Graph& graph) {
  const Uses uses = count_uses(graph);
  for (const auto& [name, tensor] : graph.tensors) {
    require(uses.contains(name), ErrorCode::kFormat, "tensor '" + name + "' belongs to no node");
  }
}

/// `readable` bytes may be read from the start of `file`, at least its size.
Loaded read(std::span<const std::byte> file, size_t readable, const std::shared_ptr<const void>& owner) {
  const Container container = read_container(file);
  const auto document = container.metadata.find(kDocument);
  require(document != container.metadata.end(), ErrorCode::kFormat,
          "a safetensors file, but not a .snn file: header.__metadata__.snncore is missing");
  Loaded loaded;
  loaded.file_bytes = file.size();
  for (const auto& [name, entry] : container.tensors) {
    loaded.graph.tensors.emplace(name, place(entry, file, readable, owner));
  }
  loaded.file_format = read_document(document->second, loaded.graph);
  if (loaded.file_format == 1) {
    graph::validate(loaded.graph);
  } else {
    widen_tensors(loaded.graph);
    graph::complete(loaded.graph);
  }
  expect_all_used(loaded.graph);
  return loaded;
}

}  // namespace

Loaded read_file(const std::string& path) {
  const MappedFile file = map_file(path);
  try {
    return read(file.bytes, file.readable, file.owner);
  } catch (const Error& error) {
    throw Error(error.code(), path + ": " + error.what());
  }
}

Loaded read_bytes(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
  return read(bytes, bytes.size(), owner);
}

std::string write_bytes(const graph::Graph& graph, int format) {
  require(format >= 1 && format <= kFormatVersion, ErrorCode::kInvalidArgument,
          "format must be in 1.." + std::to_string(kFormatVersion) + ", is " + std::to_string(format));
  graph::validate(graph);
  return write_container(stored_tensors(graph, format), {{kDocument, write_document(graph, format)}});
}

void write_file(const graph::Graph& graph, const std::string& path) {
  replace_file(path, write_bytes(graph));
}

}  // namespace snncore::format
