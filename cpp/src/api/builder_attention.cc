// The products of attention, counts and masks.
#include "api/builder_impl.h"

namespace snncore {

std::string GraphBuilder::attention(const std::string& name, const std::string& q, const std::string& k,
                                    const std::string& v, int64_t heads) {
  const std::string label = "attention '" + name + "'";
  const std::vector<std::string> inputs{impl_->plain(label, q), impl_->plain(label, k),
                                        impl_->plain(label, v)};
  return impl_->finish_counted(impl_->emit("attention", name, inputs, {{"heads", heads}}));
}

std::string GraphBuilder::map_scores(const std::string& name, const std::string& x, const std::string& y,
                                     const std::string& variant, int64_t heads) {
  const std::string label = "map_scores '" + name + "'";
  const std::vector<std::string> inputs{impl_->plain(label, x), impl_->plain(label, y)};
  return impl_->finish_counted(
      impl_->emit("map_scores", name, inputs, {{"variant", variant}, {"heads", heads}}));
}

std::string GraphBuilder::map_product(const std::string& name, const std::string& map, const std::string& x,
                                      const std::string& variant, int64_t heads) {
  const std::string label = "map_product '" + name + "'";
  const std::vector<std::string> inputs{impl_->plain(label, map), impl_->plain(label, x)};
  return impl_->finish_counted(
      impl_->emit("map_product", name, inputs, {{"variant", variant}, {"heads", heads}}));
}

std::string GraphBuilder::count(const std::string& name, const std::string& x, const std::string& y,
                                const std::string& over, int64_t heads) {
  const std::string label = "count '" + name + "'";
  std::vector<std::string> inputs{impl_->plain(label, x)};
  if (!y.empty()) inputs.push_back(impl_->plain(label, y));
  return impl_->finish_counted(impl_->emit("count", name, inputs, {{"over", over}, {"heads", heads}}));
}

std::string GraphBuilder::mask(const std::string& name, const std::string& x, const std::string& mask) {
  const std::string label = "mask '" + name + "'";
  const std::vector<std::string> inputs{impl_->plain(label, x), impl_->plain(label, mask)};
  return impl_->finish(impl_->emit("mask", name, inputs, {}));
}

}  // namespace snncore
