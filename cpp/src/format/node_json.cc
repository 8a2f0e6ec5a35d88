#include "format/node_json.h"

#include <set>
#include <string_view>

#include "format/stored.h"

namespace snncore::format {
namespace {

using graph::Graph;
using nlohmann::json;
using ops::Node;

std::string usual_name(const Node& node, const std::string& role) { return node.name + "." + role; }

ops::Attr read_attr(const JsonView& at) {
  const json& value = at.raw();
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_integer()) return at.integer();
  if (value.is_number()) return at.number();
  if (value.is_string()) return at.name();
  if (value.is_array()) return at.integers();
  at.fail("must be a flag, a number, a string or a list of integers");
}

size_t values_in(const ops::Attrs& attrs) {
  size_t count = attrs.size();
  for (const auto& [key, attr] : attrs) {
    if (const auto* list = std::get_if<std::vector<int64_t>>(&attr)) count += list->size();
  }
  return count;
}

class Reader {
 public:
  Reader(int64_t format, Graph& graph) : whole_(format == 1), graph_(graph) {}

  void read(const JsonView& at) {
    if (whole_) {
      at.expect_keys({"name", "op", "version", "inputs", "outputs", "attrs", "tensors"});
    } else {
      at.expect_keys({"name", "op", "inputs"}, {"version", "outputs", "attrs", "tensors"});
    }
    const auto has = [&](const char* key) { return at.raw().contains(key); };
    Node node;
    node.name = at.at("name").name();
    node.op = at.at("op").name();
    node.inputs = at.at("inputs").names();
    if (has("version")) node.version = static_cast<int>(at.at("version").integer_in(1, 65535));
    node.outputs = has("outputs") ? at.at("outputs").names() : std::vector<std::string>{node.name};
    if (has("attrs")) node.attrs = read_attrs(at.at("attrs"));
    if (has("tensors")) read_tensors(at.at("tensors"), node);
    places_.emplace(node.name, graph_.nodes.size());
    graph_.nodes.push_back(std::move(node));
  }

  /// Gives each tensor that no node names to the node and role that make up its name.
  void give_unnamed() {
    if (whole_) return;
    std::set<std::string> named;
    for (const Node& node : graph_.nodes) {
      for (const auto& [role, name] : node.tensors) named.insert(name);
    }
    const auto give = [&](Node& node, const std::string& role) {
      const std::string name = usual_name(node, role);
      if (graph_.tensors.contains(name) && !named.contains(name)) node.tensors.emplace(role, name);
    };
    for (Node& node : graph_.nodes) {
      const ops::OpDef* def = ops::find_op(node.op, node.version);
      if (def == nullptr) continue;  // refused when the graph is checked
      for (const ops::Role& role : def->roles) {
        const std::string_view pattern = role.name;
        const bool each = pattern.ends_with('*');
        if (!each) give(node, role.name);
        const std::string stem(pattern.substr(0, pattern.size() - 1));
        for (size_t j = 0; each && j < node.inputs.size(); ++j) give(node, stem + std::to_string(j));
      }
    }
  }

 private:
  ops::Attrs read_attrs(const JsonView& at) {
    if (!whole_ && at.raw().is_string()) return shared_attrs(at);
    ops::Attrs attrs;
    for (const auto& [key, value] : at.object().items()) {
      attrs.emplace(key, read_attr({value, at.path() + "." + key}));
    }
    return attrs;
  }

  /// Those of the earlier node of a name.
  const ops::Attrs& shared_attrs(const JsonView& at) {
    const auto place = places_.find(at.name());
    if (place == places_.end()) at.fail("no earlier node is named '" + at.name() + "'");
    const ops::Attrs& attrs = graph_.nodes[place->second].attrs;
    shared_ += values_in(attrs);
    if (shared_ > kMaxValues) at.fail("more than " + std::to_string(kMaxValues) + " values of earlier nodes");
    return attrs;
  }

  void read_tensors(const JsonView& at, Node& node) {
    for (const auto& [role, value] : at.object().items()) {
      const JsonView tensor(value, at.path() + "." + role);
      if (!whole_ && value.is_number()) {
        node.tensors.emplace(role, add_number(tensor, node, role));
      } else {
        node.tensors.emplace(role, tensor.name());
      }
    }
  }

  std::string add_number(const JsonView& at, const Node& node, const std::string& role) {
    const ops::OpDef* def = ops::find_op(node.op, node.version);
    const ops::Role* known = def == nullptr ? nullptr : ops::find_role(*def, role);
    if (known == nullptr) at.fail("is a number, and '" + node.op + "' is not known to have such a tensor");
    const std::string name = usual_name(node, role);
    if (!graph_.tensors.emplace(name, from_number(at, known->dtype)).second) {
      at.fail("is a number, and the file holds a tensor '" + name + "' as well");
    }
    return name;
  }

  const bool whole_;
  Graph& graph_;
  std::map<std::string, size_t> places_;  // of nodes, by name
  size_t shared_ = 0;                     // values of attributes that other nodes hold too
};

json write_attrs(const ops::Attrs& attrs) {
  json object = json::object();
  for (const auto& [key, attr] : attrs) {
    std::visit([&, &name = key](const auto& value) { object[name] = value; }, attr);
  }
  return object;
}

json write_whole(const Node& node) {
  return {{"name", node.name},      {"op", node.op},           {"version", node.version},
          {"inputs", node.inputs},  {"outputs", node.outputs}, {"attrs", write_attrs(node.attrs)},
          {"tensors", node.tensors}};
}

/// Tensors that their names do not give away: numbers, and names of somebody else's choice.
json write_tensors(const Graph& graph, const Node& node, const Uses& uses) {
  json object = json::object();
  for (const auto& [role, name] : node.tensors) {
    const tensor::Tensor& t = graph.tensors.at(name);
    if (is_number(node, role, t, uses.at(name))) {
      object[role] = to_number(t);
    } else if (name != usual_name(node, role) || uses.at(name) != 1) {
      object[role] = name;
    }
  }
  return object;
}

}  // namespace

void read_nodes(const JsonView& list, int64_t format, Graph& graph) {
  Reader reader(format, graph);
  for (size_t i = 0; i < list.size(); ++i) reader.read(list.item(i));
  reader.give_unnamed();
}

json write_nodes(const Graph& graph, int64_t format) {
  json nodes = json::array();
  const Uses uses = count_uses(graph);
  std::map<std::string, std::string> first;  // by attributes, the first node that has them
  for (const Node& node : graph.nodes) {
    json written = write_whole(node);
    if (format > 1) {
      if (node.version == 1) written.erase("version");
      if (node.outputs == std::vector{node.name}) written.erase("outputs");
      const auto [seen, fresh] = first.emplace(dump_json(written["attrs"], node.name), node.name);
      if (node.attrs.empty()) {
        written.erase("attrs");
      } else if (!fresh) {
        written["attrs"] = seen->second;
      }
      written["tensors"] = write_tensors(graph, node, uses);
      if (written["tensors"].empty()) written.erase("tensors");
    }
    nodes.push_back(std::move(written));
  }
  return nodes;
}

}  // namespace snncore::format
