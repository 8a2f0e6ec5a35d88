// One block of memory for values that do not all live at the same time.
#pragma once

#include <cstddef>
#include <vector>

namespace snncore::runtime {

/// Gives offsets to values with known lifetimes; values that overlap in time do not overlap in memory.
class ArenaPlan {
 public:
  /// `first` and `last` are the steps that write and last read the value. Returns an id.
  size_t add(size_t bytes, size_t first, size_t last);
  void extend(size_t id, size_t last);

  /// Places everything, largest first; returns the total.
  size_t place();
  [[nodiscard]] size_t offset(size_t id) const noexcept { return values_[id].offset; }

 private:
  struct Value {
    size_t bytes, first, last, offset;
  };
  std::vector<Value> values_;
};

}  // namespace snncore::runtime
