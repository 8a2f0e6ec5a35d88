// The vectors that a fit looks at.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace snncore::lsh {

/// Some of the rows, spread evenly.
class Sample {
 public:
  Sample(const float* rows, size_t count, size_t dim, size_t most)
      : rows_(rows), count_(count), dim_(dim), size_(std::min(count, most)) {}

  [[nodiscard]] size_t size() const noexcept { return size_; }
  [[nodiscard]] size_t dim() const noexcept { return dim_; }
  [[nodiscard]] const float* row(size_t i) const noexcept {
    return rows_ + static_cast<size_t>(uint64_t{i} * count_ / size_) * dim_;
  }
  [[nodiscard]] Sample at_most(size_t most) const { return {rows_, count_, dim_, std::min(size_, most)}; }

  [[nodiscard]] std::vector<float> mean() const {
    std::vector<double> sums(dim_);
    for (size_t r = 0; r < size_; ++r) {
      for (size_t i = 0; i < dim_; ++i) sums[i] += row(r)[i];
    }
    std::vector<float> mean(dim_);
    for (size_t i = 0; i < dim_; ++i) mean[i] = static_cast<float>(sums[i] / static_cast<double>(size_));
    return mean;
  }

 private:
  const float* rows_;
  size_t count_, dim_, size_;
};

}  // namespace snncore::lsh
