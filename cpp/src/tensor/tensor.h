// A stored tensor: bytes that live in a mapped file or in a buffer of ours, with the meaning the file gives
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <snncore/tensor.h>

namespace snncore::tensor {

/// How integer weights are coded (docs/format.md, "Tensors").
enum class Encoding : uint8_t { kNone, kOdd, kSym };

struct Tensor {
  DType dtype = DType::kF32;
  Shape shape;                      // as stored; for flat codes the number of u64 words
  const std::byte* data = nullptr;  // aligned to 64 bytes
  size_t bytes = 0;
  std::shared_ptr<const void> owner;  // keeps `data` alive

  // Only for coded weights:
  Encoding encoding = Encoding::kNone;
  int bits = 0;
  Shape logical;  // [C, kh, kw, C_in / groups] or [C, F]

  template <typename T>
  [[nodiscard]] const T* as() const noexcept {
    return reinterpret_cast<const T*>(data);
  }
  [[nodiscard]] bool coded() const noexcept { return encoding != Encoding::kNone; }
};

/// An owning tensor with zeroed bytes for `shape`; write through the returned pointer before sharing it.
Tensor make_tensor(DType dtype, const Shape& shape, std::byte** writable);

/// A plain tensor [count] of the one value that `one` holds.
Tensor repeated(const Tensor& one, int64_t count);

/// The code q of element i of a coded weight, whatever its storage.
int32_t code_at(const Tensor& weight, size_t i) noexcept;

/// Packs codes q (row-major in `logical`) as docs/format.md says; throws Error(kInvalidArgument) when one is
/// out of range.
Tensor encode_weight(const int8_t* codes, const Shape& logical, int bits, Encoding encoding,
                     const std::string& what);

}  // namespace snncore::tensor
