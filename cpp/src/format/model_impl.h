// What a Model points to.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <snncore/model.h>
#include <snncore/version.h>

#include "graph/graph.h"

namespace snncore {

struct Model::Impl {
  graph::Graph graph;
  size_t file_bytes = 0;
  int file_format = kFormatVersion;

  /// Weights laid out for the kernels, by node: made by the first Program, shared by the later ones.
  template <typename T, typename Make>
  std::shared_ptr<const T> packed(const std::string& node, const Make& make) const {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<const void>& entry = packed_[node];
    if (!entry) entry = make();
    return std::static_pointer_cast<const T>(entry);
  }

 private:
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::shared_ptr<const void>> packed_;
};

}  // namespace snncore
