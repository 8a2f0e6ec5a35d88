#include <snncore/bit_tensor.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "base/align.h"
#include "base/bits.h"
#include "base/checked.h"
#include "kernels/table.h"

namespace snncore {
namespace {

// Rows of whole words lie close together, as one.
template <typename T>
void pack_rows(void (*pack)(const T*, size_t, uint64_t*), const void* array, size_t rows, size_t bits,
               uint64_t* to) {
  const T* from = static_cast<const T*>(array);
  if (bits % 64 == 0) {
    pack(from, rows * bits, to);
    return;
  }
  for (size_t r = 0; r < rows; ++r, from += bits, to += words_for(bits)) pack(from, bits, to);
}

void copy_rows(const uint64_t* from, size_t rows, size_t bits, uint64_t* to) {
  const size_t words = words_for(bits);
  std::memcpy(to, from, rows * words * sizeof(uint64_t));
  for (size_t r = 0; r < rows && bits % 64 != 0; ++r) {
    if ((to[r * words + words - 1] & ~tail_mask(bits)) == 0) continue;
    throw Error(ErrorCode::kShape, "packed array: row " + std::to_string(r) + " has bits past its " +
                                       std::to_string(bits) + " elements");
  }
}

}  // namespace

BitTensor BitTensor::make(const Shape& shape, uint64_t** words) {
  require(!shape.empty(), ErrorCode::kShape, "pack: expected an array of at least one axis");
  BitTensor t;
  t.shape_ = shape;
  const auto elements = static_cast<size_t>(element_count(shape, "pack"));
  const auto bits = static_cast<size_t>(shape.back());
  t.rows_ = bits == 0 ? 0 : elements / bits;
  t.row_words_ = words_for(bits);
  auto buffer =
      std::make_shared<AlignedBuffer>(AlignedBuffer::to_fill(t.rows_ * t.row_words_ * sizeof(uint64_t)));
  *words = buffer->as<uint64_t>();
  t.words_ = std::shared_ptr<uint64_t>(buffer, *words);
  return t;
}

BitTensor BitTensor::zeros(const Shape& shape, uint64_t** words) {
  BitTensor t = make(shape, words);
  std::fill_n(*words, t.rows_ * t.row_words_, 0);
  return t;
}

BitTensor BitTensor::pack(const TensorView& array) {
  uint64_t* words = nullptr;
  BitTensor t = make(array.shape, &words);
  const auto bits = static_cast<size_t>(array.shape.back());
  switch (array.dtype) {
    case DType::kBool:
    case DType::kU8:
    case DType::kI8:
      pack_rows(kernels::kernels().pack_u8_b1, array.data, t.rows_, bits, words);
      break;
    case DType::kF32:
      pack_rows(kernels::kernels().pack_f32_b1, array.data, t.rows_, bits, words);
      break;
    case DType::kB1:
      copy_rows(static_cast<const uint64_t*>(array.data), t.rows_, bits, words);
      break;
    default:
      throw Error(ErrorCode::kShape,
                  std::string("pack: expected bool, u8, i8, f32 or packed bits, received ") +
                      dtype_name(array.dtype));
  }
  return t;
}

void BitTensor::unpack(uint8_t* out) const {
  const auto bits = static_cast<size_t>(shape_.back());
  for (size_t r = 0; r < rows_; ++r, out += bits) unpack_bits(words_.get() + r * row_words_, bits, out);
}

uint64_t BitTensor::popcount() const {
  return kernels::kernels().popcount_b1(words_.get(), rows_ * row_words_);
}

TensorView BitTensor::view() const { return {words_.get(), DType::kB1, shape_}; }

}  // namespace snncore
