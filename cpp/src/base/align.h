// Aligned, zeroed byte buffers with readable bytes behind the end.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "kernels/padding.h"

namespace snncore {

inline constexpr size_t kTailPad = kernels::kAlign;

constexpr size_t align_up(size_t bytes, size_t to = kernels::kAlign) noexcept {
  return (bytes + to - 1) / to * to;
}

/// A heap block that starts on kAlign and has kTailPad readable bytes behind it; zeroed, but for `to_fill`.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t bytes) : AlignedBuffer(bytes, align_up(bytes) + kTailPad, 0) {}
  /// A block whose `bytes` the caller writes, all of them; those behind are zero.
  static AlignedBuffer to_fill(size_t bytes) { return {bytes, align_up(bytes) + kTailPad, bytes}; }
  /// A block of parts that are aligned and have readable bytes behind each of them already: nothing is added.
  static AlignedBuffer of_parts(size_t bytes) {
    return bytes == 0 ? AlignedBuffer() : AlignedBuffer(bytes, bytes, 0);
  }
  [[nodiscard]] std::byte* data() const noexcept { return data_.get(); }
  [[nodiscard]] size_t size() const noexcept { return size_; }
  /// What the heap gave: size, alignment and the bytes behind.
  [[nodiscard]] size_t allocated() const noexcept { return allocated_; }
  template <typename T>
  [[nodiscard]] T* as() const noexcept {
    return reinterpret_cast<T*>(data_.get());
  }

 private:
  AlignedBuffer(size_t bytes, size_t total, size_t filled) : size_(bytes), allocated_(total) {
    data_.reset(static_cast<std::byte*>(std::aligned_alloc(kernels::kAlign, total)));
    if (!data_) throw std::bad_alloc();
    std::memset(data_.get() + filled, 0, total - filled);
  }

  struct Free {
    void operator()(std::byte* p) const noexcept { std::free(p); }
  };
  std::unique_ptr<std::byte, Free> data_;
  size_t size_ = 0, allocated_ = 0;
};

}  // namespace snncore
