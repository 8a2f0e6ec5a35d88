// Memory of columns, in large pages where there are some.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

namespace snncore::lsh {

/// As AlignedBuffer. From kLargeFrom bytes on the system is asked for large pages before anything is written:
/// processors fetch ahead within a page, and remember where few pages lie. A million codes of 256 bits are
/// read in half the time. Where the system has none to give, nothing is different.
class LargeBuffer {
 public:
  static constexpr size_t kLargeFrom = size_t{4} << 20;

  LargeBuffer() = default;
  explicit LargeBuffer(size_t bytes);

  [[nodiscard]] std::byte* data() const noexcept { return data_.get(); }
  [[nodiscard]] size_t size() const noexcept { return size_; }
  /// What the heap gave: size, alignment and the bytes behind.
  [[nodiscard]] size_t allocated() const noexcept { return allocated_; }
  template <typename T>
  [[nodiscard]] T* as() const noexcept {
    return reinterpret_cast<T*>(data_.get());
  }

 private:
  struct Free {
    void operator()(std::byte* p) const noexcept { std::free(p); }
  };
  std::unique_ptr<std::byte, Free> data_;
  size_t size_ = 0, allocated_ = 0;
};

}  // namespace snncore::lsh
