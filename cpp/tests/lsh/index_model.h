// Vectors in a list, searched one by one: what an index has to agree with.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <snncore/lsh.h>

#include "kernels/common.h"

namespace snncore::test {

struct Results {
  std::vector<int64_t> ids;
  std::vector<float> distances;
  bool operator==(const Results&) const = default;
};

inline Results search(const Index& index, const std::vector<float>& queries, const SearchOptions& options) {
  const size_t places =
      queries.size() / static_cast<size_t>(index.options().dim) * static_cast<size_t>(options.k);
  Results r{std::vector<int64_t>(places), std::vector<float>(places)};
  index.search(queries, options, r.ids, r.distances);
  return r;
}

/// Whole numbers, so that sums are exact in any order; clustered, with copies.
inline std::vector<float> random_rows(Random& random, size_t count, size_t dim) {
  std::vector<float> rows(count * dim);
  for (size_t r = 0; r < count; ++r) {
    if (r > 0 && random.chance(0.1)) {
      std::copy_n(rows.begin() + static_cast<std::ptrdiff_t>(random.size(0, r - 1) * dim), dim,
                  rows.begin() + static_cast<std::ptrdiff_t>(r * dim));
      continue;
    }
    const int64_t centre = static_cast<int64_t>(random.size(0, 7)) * 8;
    for (size_t i = 0; i < dim; ++i) rows[r * dim + i] = static_cast<float>(random.in(0, 20) + centre);
  }
  return rows;
}

inline float true_distance(Metric metric, const float* a, const float* b, size_t dim) {
  float ab = 0, aa = 0, bb = 0, square = 0;
  for (size_t i = 0; i < dim; ++i) {
    ab += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
    square += (a[i] - b[i]) * (a[i] - b[i]);
  }
  if (metric == Metric::kL2) return std::sqrt(square);
  if (metric == Metric::kInnerProduct) return -ab;
  const float lengths = std::sqrt(aa) * std::sqrt(bb);
  return lengths > 0 ? 1 - ab / lengths : 1;
}

class Listed {
 public:
  explicit Listed(size_t dim) : dim_(dim) {}

  void add(uint64_t id, const float* row) {
    remove(id);
    items_.emplace_back(id, std::vector<float>(row, row + dim_));
  }
  bool remove(uint64_t id) {
    return std::erase_if(items_, [id](const auto& item) { return item.first == id; }) > 0;
  }
  [[nodiscard]] const std::vector<std::pair<uint64_t, std::vector<float>>>& items() const { return items_; }

  template <typename Allowed>
  Results search(Metric metric, const std::vector<float>& queries, size_t k, Allowed&& allowed) const {
    Results r;
    for (size_t q = 0; q < queries.size(); q += dim_) {
      std::vector<std::pair<float, size_t>> all;
      for (size_t i = 0; i < items_.size(); ++i) {
        if (!allowed(items_[i].first)) continue;
        all.emplace_back(true_distance(metric, queries.data() + q, items_[i].second.data(), dim_), i);
      }
      std::sort(all.begin(), all.end());
      for (size_t i = 0; i < k; ++i) {
        const bool there = i < all.size();
        r.ids.push_back(there ? static_cast<int64_t>(items_[all[i].second].first) : -1);
        r.distances.push_back(there ? all[i].first : std::numeric_limits<float>::infinity());
      }
    }
    return r;
  }
  Results search(Metric metric, const std::vector<float>& queries, size_t k) const {
    return search(metric, queries, k, [](uint64_t) { return true; });
  }

 private:
  size_t dim_;
  std::vector<std::pair<uint64_t, std::vector<float>>> items_;
};

}  // namespace snncore::test
