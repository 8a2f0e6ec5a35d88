#include <snncore/functional.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "base/align.h"
#include "base/bits.h"
#include "base/checked.h"
#include "kernels/table.h"

namespace snncore {
namespace {

// Bit i is set where from[i] is not zero, i < count <= 64.
template <typename T>
uint64_t pack_word(const T* from, size_t count) {
  uint64_t word = 0;
  for (size_t i = 0; i < count; ++i) word |= uint64_t{from[i] != T{}} << i;
  return word;
}

// Eight bytes at a time: each is folded to its lowest bit, and one product brings the eight bits together.
uint64_t pack_word(const uint8_t* from, size_t count) {
  uint64_t word = 0;
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    uint64_t bytes;
    std::memcpy(&bytes, from + i, sizeof(bytes));
    bytes |= bytes >> 4;
    bytes |= bytes >> 2;
    bytes |= bytes >> 1;
    word |= ((bytes & 0x0101010101010101) * 0x0102040810204080 >> 56) << i;
  }
  for (; i < count; ++i) word |= uint64_t{from[i] != 0} << i;
  return word;
}

template <typename T>
void pack_rows(const T* from, size_t rows, size_t bits, uint64_t* to) {
  for (size_t r = 0; r < rows; ++r, from += bits) {
    for (size_t i = 0; i < bits; i += 64) *to++ = pack_word(from + i, std::min<size_t>(bits - i, 64));
  }
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
  BitTensor t = unwritten(shape, words);
  std::fill_n(*words, t.rows_ * t.row_words_, 0);
  return t;
}

BitTensor BitTensor::unwritten(const Shape& shape, uint64_t** words) {
  require(!shape.empty(), ErrorCode::kShape, "pack: expected an array of at least one axis");
  BitTensor t;
  t.shape_ = shape;
  const auto elements = static_cast<size_t>(element_count(shape, "pack"));
  const auto bits = static_cast<size_t>(shape.back());
  t.rows_ = bits == 0 ? 0 : elements / bits;
  t.row_words_ = words_for(bits);
  auto buffer =
      std::make_shared<AlignedBuffer>(AlignedBuffer::unwritten(t.rows_ * t.row_words_ * sizeof(uint64_t)));
  *words = buffer->as<uint64_t>();
  t.words_ = std::shared_ptr<uint64_t>(buffer, *words);
  return t;
}

BitTensor BitTensor::pack(const TensorView& array) {
  uint64_t* words = nullptr;
  BitTensor t = unwritten(array.shape, &words);
  const auto bits = static_cast<size_t>(array.shape.back());
  switch (array.dtype) {
    case DType::kBool:
    case DType::kU8:
    case DType::kI8:
      pack_rows(static_cast<const uint8_t*>(array.data), t.rows_, bits, words);
      break;
    case DType::kF32:
      pack_rows(static_cast<const float*>(array.data), t.rows_, bits, words);
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
  for (size_t r = 0; r < rows_; ++r) {
    for (size_t i = 0; i < bits; ++i) *out++ = get_bit(words_.get() + r * row_words_, i) ? 1 : 0;
  }
}

uint64_t BitTensor::popcount() const {
  return kernels::kernels().popcount_b1(words_.get(), rows_ * row_words_);
}

TensorView BitTensor::view() const { return {words_.get(), DType::kB1, shape_}; }

}  // namespace snncore
