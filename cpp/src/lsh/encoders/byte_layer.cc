#include "lsh/encoders/byte_layer.h"

#include "base/bits.h"
#include "base/checked.h"
#include "kernels/table.h"

namespace snncore::lsh {
namespace {

Shape shape_of(size_t rows, size_t columns) {
  return {static_cast<int64_t>(rows), static_cast<int64_t>(columns)};
}

}  // namespace

ByteLayer::ByteLayer(Stored& stored, const char* name, size_t inputs, size_t outputs, int32_t zero)
    : inputs_(inputs),
      outputs_(outputs),
      signs_(stored.has(name, DType::kU64)),
      packed_((inputs + 3) / 4 * 4 * outputs),
      code_sums_(outputs * sizeof(int32_t)),
      init_(outputs * sizeof(int32_t)) {
  const tensor::Tensor weights = signs_ ? stored.take(name, DType::kU64, shape_of(inputs, words_for(outputs)))
                                        : stored.take(name, DType::kI8, shape_of(inputs, outputs));
  for (size_t i = 0; i < inputs; ++i) {
    const uint64_t* row = weights.as<uint64_t>() + i * words_for(outputs);
    for (size_t o = 0; o < outputs; ++o) {
      const int sign = signs_ && get_bit(row, o) ? 1 : -1;
      code(i, o) = signs_ ? static_cast<int8_t>(sign) : weights.as<int8_t>()[i * outputs + o];
      require(code(i, o) != INT8_MIN, ErrorCode::kFormat, std::string("'") + name + "' holds -128");
    }
  }
  sum_codes(zero);
}

void ByteLayer::sum_codes(int32_t zero) {
  for (size_t o = 0; o < outputs_; ++o) {
    int32_t sum = 0;
    for (size_t i = 0; i < inputs_; ++i) sum += code(i, o);
    code_sums_.as<int32_t>()[o] = sum;
    init_.as<int32_t>()[o] = -zero * sum;
  }
}

void ByteLayer::run(const uint8_t* rows, size_t count, int32_t* sums) const noexcept {
  const kernels::ByteWeights weights{.codes = packed_.as<int8_t>(),
                                     .k4 = row_bytes() / 4,
                                     .channels_padded = outputs_,
                                     .code_sums = code_sums_.as<int32_t>(),
                                     .init = init_.as<int32_t>(),
                                     .odd = false};
  kernels::kernels().gemm_u8i8_i32(rows, count, weights, sums);
}

tensor::Tensor ByteLayer::weights() const {
  std::byte* to = nullptr;
  const Shape shape = shape_of(inputs_, signs_ ? words_for(outputs_) : outputs_);
  tensor::Tensor tensor = tensor::make_tensor(signs_ ? DType::kU64 : DType::kI8, shape, &to);
  for (size_t i = 0; i < inputs_; ++i) {
    for (size_t o = 0; o < outputs_; ++o) {
      if (!signs_) {
        reinterpret_cast<int8_t*>(to)[i * outputs_ + o] = code(i, o);
      } else if (code(i, o) > 0) {
        set_bit(reinterpret_cast<uint64_t*>(to) + i * words_for(outputs_), o);
      }
    }
  }
  return tensor;
}

}  // namespace snncore::lsh
