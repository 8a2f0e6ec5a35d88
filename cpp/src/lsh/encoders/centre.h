// Rows without the mean, a few at a time.
#pragma once

#include <algorithm>
#include <vector>

#include "lsh/encoders/stored.h"

namespace snncore::lsh {

inline constexpr size_t kTileRows = 16;

class Centre {
 public:
  explicit Centre(std::vector<float> mean) : mean_(std::move(mean)) {}
  Centre(Stored& stored, size_t dim) {
    const tensor::Tensor mean = stored.take("mean", DType::kF32, {static_cast<int64_t>(dim)});
    mean_.assign(mean.as<float>(), mean.as<float>() + dim);
  }
  [[nodiscard]] size_t dim() const noexcept { return mean_.size(); }
  [[nodiscard]] tensor::Tensor tensor() const { return copied(mean_, {static_cast<int64_t>(dim())}); }

  /// Calls f(centred rows, index of the first, how many) for all rows, kTileRows at most at a time.
  template <typename F>
  void for_tiles(const float* rows, size_t count, F&& f) const {
    std::vector<float> centred(std::min(count, kTileRows) * dim());
    for (size_t first = 0; first < count; first += kTileRows) {
      const size_t tile = std::min(kTileRows, count - first);
      for (size_t r = 0; r < tile; ++r) take_off(rows + (first + r) * dim(), centred.data() + r * dim());
      f(static_cast<const float*>(centred.data()), first, tile);
    }
  }

 private:
  void take_off(const float* row, float* centred) const noexcept {
    for (size_t i = 0; i < mean_.size(); ++i) centred[i] = row[i] - mean_[i];
  }

  std::vector<float> mean_;
};

}  // namespace snncore::lsh
