// A column of an index: elements of a file, or elements that grow at the end.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include "base/align.h"
#include "tensor/tensor.h"

namespace snncore::lsh {

template <typename T>
class Column {
 public:
  Column() = default;
  /// The elements of a stored tensor of type T, which it keeps alive.
  explicit Column(tensor::Tensor stored)
      : data_(stored.as<T>()), size_(stored.bytes / sizeof(T)), stored_(std::move(stored)) {}

  [[nodiscard]] const T* data() const noexcept { return data_; }
  [[nodiscard]] size_t size() const noexcept { return size_; }
  [[nodiscard]] const T& operator[](size_t i) const noexcept { return data_[i]; }
  /// Bytes of our own heap, or of the file.
  [[nodiscard]] size_t bytes() const noexcept {
    return stored_.data != nullptr ? stored_.bytes : buffer_.allocated();
  }

  void reserve(size_t count) {
    if (stored_.data == nullptr && count * sizeof(T) <= buffer_.size()) return;
    AlignedBuffer larger = AlignedBuffer::in_large_pages(count * sizeof(T));
    if (size_ > 0) std::memcpy(larger.data(), data_, size_ * sizeof(T));
    buffer_ = std::move(larger);
    stored_ = {};
    data_ = buffer_.as<T>();
  }

  /// `count` more elements, zero.
  T* append(size_t count) {
    if (stored_.data != nullptr || (size_ + count) * sizeof(T) > buffer_.size()) {
      reserve(std::max(size_ + count, size_ + size_ / 2));
    }
    size_ += count;
    return buffer_.as<T>() + size_ - count;
  }
  void append(const T* from, size_t count) {
    T* to = append(count);
    if (count > 0) std::memcpy(to, from, count * sizeof(T));
  }

  /// All elements, to be changed; those of a file are copied first.
  T* writable() {
    if (stored_.data != nullptr) reserve(size_);
    return buffer_.as<T>();
  }

 private:
  const T* data_ = nullptr;
  size_t size_ = 0;
  AlignedBuffer buffer_;
  tensor::Tensor stored_;
};

}  // namespace snncore::lsh
