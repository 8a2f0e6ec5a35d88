#include "tensor/tensor.h"

#include <cstring>
#include <utility>

#include "base/align.h"
#include "base/bits.h"
#include "base/checked.h"

namespace snncore {

const char* dtype_name(DType dtype) noexcept {
  switch (dtype) {
    case DType::kB1:
      return "b1";
    case DType::kBool:
      return "bool";
    case DType::kU8:
      return "u8";
    case DType::kI8:
      return "i8";
    case DType::kI16:
      return "i16";
    case DType::kI32:
      return "i32";
    case DType::kI64:
      return "i64";
    case DType::kU64:
      return "u64";
    case DType::kF32:
      return "f32";
    case DType::kF64:
      return "f64";
  }
  return "?";
}

size_t dtype_size(DType dtype) noexcept {
  switch (dtype) {
    case DType::kB1:
      return 0;
    case DType::kBool:
    case DType::kU8:
    case DType::kI8:
      return 1;
    case DType::kI16:
      return 2;
    case DType::kI32:
    case DType::kF32:
      return 4;
    case DType::kI64:
    case DType::kU64:
    case DType::kF64:
      return 8;
  }
  return 0;
}

std::string shape_string(const Shape& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

namespace tensor {
namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& message) {
  throw Error(ErrorCode::kInvalidArgument, what + ": " + message);
}

}  // namespace

Tensor make_tensor(DType dtype, const Shape& shape, std::byte** writable) {
  const std::string what = std::string(dtype_name(dtype)) + " tensor " + shape_string(shape);
  require(dtype_size(dtype) != 0, ErrorCode::kInvalidArgument, what + ": packed bits are stored as u64");
  const int64_t bytes =
      checked_mul(element_count(shape, what), static_cast<int64_t>(dtype_size(dtype)), what);
  const auto buffer = std::make_shared<AlignedBuffer>(static_cast<size_t>(bytes));
  if (writable != nullptr) *writable = buffer->data();
  Tensor tensor;
  tensor.dtype = dtype;
  tensor.shape = shape;
  tensor.data = buffer->data();
  tensor.bytes = buffer->size();
  tensor.owner = buffer;
  return tensor;
}

Tensor repeated(const Tensor& one, int64_t count) {
  std::byte* raw = nullptr;
  Tensor all = make_tensor(one.dtype, {count}, &raw);
  for (size_t at = 0; at < all.bytes; at += one.bytes) std::memcpy(raw + at, one.data, one.bytes);
  return all;
}

int32_t code_at(const Tensor& weight, size_t i) noexcept {
  if (weight.bits == 8) return weight.as<int8_t>()[i];
  const auto bits = static_cast<unsigned>(weight.bits);
  const size_t at = i * bits;
  const auto field = static_cast<int32_t>((weight.as<uint64_t>()[at / 64] >> (at % 64)) & ((1U << bits) - 1));
  if (bits == 1) return field - 1;
  const int32_t half = 1 << (bits - 1);
  return (field ^ half) - half;
}

Tensor encode_weight(const int8_t* codes, const Shape& logical, int bits, Encoding encoding,
                     const std::string& what) {
  if (bits != 1 && bits != 2 && bits != 4 && bits != 8) {
    refuse(what, "weights have 1, 2, 4 or 8 bits, not " + std::to_string(bits));
  }
  if (encoding == Encoding::kNone) refuse(what, "codes need the encoding odd or sym");
  if (encoding == Encoding::kSym && bits == 1) refuse(what, "the encoding sym needs at least 2 bits");
  const auto count = static_cast<size_t>(element_count(logical, what));
  const int32_t top = (1 << (bits - 1)) - 1;
  const int32_t bottom = encoding == Encoding::kSym ? -top : -top - 1;

  std::byte* raw = nullptr;
  const auto words = static_cast<int64_t>(words_for(count * static_cast<size_t>(bits)));
  Tensor tensor =
      bits == 8 ? make_tensor(DType::kI8, logical, &raw) : make_tensor(DType::kU64, {words}, &raw);
  tensor.encoding = encoding;
  tensor.bits = bits;
  tensor.logical = logical;
  for (size_t i = 0; i < count; ++i) {
    const int32_t q = codes[i];
    if (q < bottom || q > top) {
      refuse(what, "code " + std::to_string(q) + " of element " + std::to_string(i) + " is outside " +
                       std::to_string(bottom) + ".." + std::to_string(top));
    }
    if (bits == 8) {
      reinterpret_cast<int8_t*>(raw)[i] = codes[i];
      continue;
    }
    const size_t at = i * static_cast<size_t>(bits);
    const auto stored = static_cast<uint32_t>(bits == 1 ? q + 1 : q);
    reinterpret_cast<uint64_t*>(raw)[at / 64] |= uint64_t{stored & ((1U << bits) - 1)} << (at % 64);
  }
  return tensor;
}

}  // namespace tensor
}  // namespace snncore
