// Codes of 2, 4 or 8 bits in memory, lowest bits first, in two's complement.
#pragma once

#include <cstddef>
#include <cstdint>

namespace snncore::kernels::scalar {
namespace {

class Field {
 public:
  Field(void* rows, size_t index, size_t bits)
      : byte_(static_cast<uint8_t*>(rows) + index * bits / 8),
        shift_(index * bits % 8),
        mask_((1 << bits) - 1) {}

  [[nodiscard]] int64_t read() const {
    const int64_t field = (*byte_ >> shift_) & mask_, sign = (mask_ + 1) / 2;
    return (field ^ sign) - sign;
  }
  void write(int64_t code) const {
    *byte_ = static_cast<uint8_t>((*byte_ & ~(mask_ << shift_)) | (static_cast<int>(code) & mask_) << shift_);
  }

 private:
  uint8_t* byte_;
  size_t shift_;
  int mask_;
};

}  // namespace
}  // namespace snncore::kernels::scalar
