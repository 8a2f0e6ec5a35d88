// Aligned, zeroed byte buffers with readable bytes behind the end.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "kernels/table.h"

namespace snncore {

inline constexpr size_t kTailPad = kernels::kAlign;

constexpr size_t align_up(size_t bytes, size_t to = kernels::kAlign) noexcept {
  return (bytes + to - 1) / to * to;
}

/// A zeroed heap block that starts on kAlign and has kTailPad readable bytes behind it.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t bytes) : size_(bytes) {
    const size_t total = align_up(bytes) + kTailPad;
    data_.reset(static_cast<std::byte*>(std::aligned_alloc(kernels::kAlign, total)));
    if (!data_) throw std::bad_alloc();
    std::memset(data_.get(), 0, total);
  }
  [[nodiscard]] std::byte* data() const noexcept { return data_.get(); }
  [[nodiscard]] size_t size() const noexcept { return size_; }
  template <typename T>
  [[nodiscard]] T* as() const noexcept {
    return reinterpret_cast<T*>(data_.get());
  }

 private:
  struct Free {
    void operator()(std::byte* p) const noexcept { std::free(p); }
  };
  std::unique_ptr<std::byte, Free> data_;
  size_t size_ = 0;
};

}  // namespace snncore
