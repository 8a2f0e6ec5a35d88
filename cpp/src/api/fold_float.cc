#include <cstring>

#include "api/built_value.h"

namespace snncore {

void fold_float(graph::Graph& graph, ops::Node& layer, const std::vector<double>& g,
                const std::vector<double>& shift) {
  tensor::Tensor& old = graph.tensors.at(layer.tensors.at("weight"));
  const size_t count = old.bytes / sizeof(float), row = count / g.size();
  std::byte* to = nullptr;
  tensor::Tensor weight = tensor::make_tensor(DType::kF32, old.shape, &to);
  for (size_t i = 0; i < count; ++i) {
    reinterpret_cast<float*>(to)[i] =
        static_cast<float>(g[i / row] * static_cast<double>(old.as<float>()[i]));
  }
  tensor::Tensor bias = tensor::make_tensor(DType::kF32, {static_cast<int64_t>(g.size())}, &to);
  const auto before = layer.tensors.find("bias");
  for (size_t c = 0; c < g.size(); ++c) {
    const double b = before == layer.tensors.end()
                         ? 0.0
                         : static_cast<double>(graph.tensors.at(before->second).as<float>()[c]);
    reinterpret_cast<float*>(to)[c] = static_cast<float>(g[c] * b + shift[c]);
  }
  old = std::move(weight);
  layer.tensors["bias"] = layer.name + ".bias";
  graph.tensors[layer.name + ".bias"] = std::move(bias);
}

}  // namespace snncore
