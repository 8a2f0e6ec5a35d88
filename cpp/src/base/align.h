// Aligned, zeroed byte buffers with readable bytes behind the end.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

#include "kernels/padding.h"

namespace snncore {

inline constexpr size_t kTailPad = kernels::kAlign;

constexpr size_t align_up(size_t bytes, size_t to = kernels::kAlign) noexcept {
  return (bytes + to - 1) / to * to;
}

/// A heap block that starts on kAlign and has kTailPad readable bytes behind it; zeroed, but for `to_fill`.
/// Throws std::bad_alloc.
class AlignedBuffer {
 public:
  static constexpr size_t kLargeFrom = size_t{4} << 20;

  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t bytes);
  /// A block whose `bytes` the caller writes, all of them; those behind are zero.
  static AlignedBuffer to_fill(size_t bytes);
  /// A block of parts that are aligned and have readable bytes behind each of them already: nothing is added.
  static AlignedBuffer of_parts(size_t bytes);
  /// A block for whose pages, from kLargeFrom bytes on, the system is asked for large ones before anything is
  /// written: processors fetch ahead within a page, and remember where few pages lie. A million codes of 256
  /// bits are read in half the time. Where the system has none to give, nothing is different.
  static AlignedBuffer in_large_pages(size_t bytes);

  [[nodiscard]] std::byte* data() const noexcept { return data_.get(); }
  [[nodiscard]] size_t size() const noexcept { return size_; }
  /// What the heap gave: size, alignment and the bytes behind.
  [[nodiscard]] size_t allocated() const noexcept { return allocated_; }
  template <typename T>
  [[nodiscard]] T* as() const noexcept {
    return reinterpret_cast<T*>(data_.get());
  }

 private:
  /// Takes a block of `allocated` bytes; those from `filled` on become zero.
  AlignedBuffer(std::byte* block, size_t bytes, size_t allocated, size_t filled) noexcept;

  struct Free {
    void operator()(std::byte* p) const noexcept { std::free(p); }
  };
  std::unique_ptr<std::byte, Free> data_;
  size_t size_ = 0, allocated_ = 0;
};

}  // namespace snncore
