#include "tensor/tensor.h"

#include <doctest/doctest.h>

#include <cstring>
#include <vector>

#include "base/align.h"
#include "ops/bounds.h"
#include "ops/check.h"
#include "sample_graphs.h"

namespace snncore {
namespace {

using tensor::Encoding;

TEST_CASE("names and sizes of types") {
  CHECK(std::string(dtype_name(DType::kB1)) == "b1");
  CHECK(std::string(dtype_name(DType::kF64)) == "f64");
  CHECK(dtype_size(DType::kB1) == 0);
  CHECK(dtype_size(DType::kU64) == 8);
  CHECK(dtype_size(DType::kBool) == 1);
  CHECK(shape_string({2, 3, 32}) == "[2, 3, 32]");
  CHECK(shape_string({}) == "[]");
}

TEST_CASE("a made tensor is aligned and zero") {
  std::byte* bytes = nullptr;
  const tensor::Tensor t = tensor::make_tensor(DType::kI32, {3, 5}, &bytes);
  CHECK(t.bytes == 60);
  CHECK(t.data == bytes);
  CHECK(reinterpret_cast<uintptr_t>(t.data) % 64 == 0);
  for (int i = 0; i < 15; ++i) CHECK(t.as<int32_t>()[i] == 0);
  CHECK_THROWS_AS(tensor::make_tensor(DType::kB1, {8}, nullptr), Error);
  CHECK_THROWS_AS(tensor::make_tensor(DType::kI8, {-1}, nullptr), Error);
  CHECK_THROWS_AS(tensor::make_tensor(DType::kF64, {int64_t{1} << 40, int64_t{1} << 40}, nullptr), Error);
}

TEST_CASE("codes survive packing, for every width and encoding") {
  for (const int bits : {1, 2, 4, 8}) {
    for (const Encoding encoding : {Encoding::kOdd, Encoding::kSym}) {
      if (bits == 1 && encoding == Encoding::kSym) continue;
      const int32_t half = 1 << (bits - 1), bottom = encoding == Encoding::kSym ? 1 - half : -half;
      for (const int64_t count : {1, 7, 63, 64, 65, 130}) {
        CAPTURE(bits);
        CAPTURE(count);
        std::vector<int8_t> codes;
        for (int32_t i = 0; i < count; ++i)
          codes.push_back(static_cast<int8_t>(bottom + i * 5 % (half - bottom)));
        const tensor::Tensor t = tensor::encode_weight(codes.data(), {1, count}, bits, encoding, "w");
        CHECK(t.dtype == (bits == 8 ? DType::kI8 : DType::kU64));
        CHECK(t.logical == Shape{1, count});
        for (size_t i = 0; i < codes.size(); ++i) CHECK(tensor::code_at(t, i) == codes[i]);
      }
    }
  }
}

TEST_CASE("the bit string of flat codes is as documented") {
  const std::vector<int8_t> signs = {0, -1, 0, 0};  // m = +1, -1, +1, +1: the stored bit is set for +1
  CHECK(tensor::encode_weight(signs.data(), {1, 4}, 1, Encoding::kOdd, "w").as<uint64_t>()[0] == 0b1101);
  const std::vector<int8_t> nibbles = {-8, 7, -1, 1};
  CHECK(tensor::encode_weight(nibbles.data(), {1, 4}, 4, Encoding::kOdd, "w").as<uint64_t>()[0] == 0x1f78);
}

TEST_CASE("codes out of range are refused") {
  const auto refused = [](int8_t code, int bits, Encoding encoding) {
    CHECK_THROWS_AS(tensor::encode_weight(&code, {1, 1}, bits, encoding, "w"), Error);
  };
  refused(1, 1, Encoding::kOdd);
  refused(-2, 1, Encoding::kOdd);
  refused(8, 4, Encoding::kOdd);
  refused(-8, 4, Encoding::kSym);
  refused(-128, 8, Encoding::kSym);
  refused(0, 1, Encoding::kSym);
  refused(0, 3, Encoding::kOdd);
  refused(0, 4, Encoding::kNone);
}

/// The bounds by table look-up, against a plain loop, for rows that start inside bytes.
TEST_CASE("accumulator bounds equal a plain sum") {
  for (const int bits : {1, 2, 4, 8}) {
    for (const Encoding encoding : {Encoding::kOdd, Encoding::kSym}) {
      if (bits == 1 && encoding == Encoding::kSym) continue;
      for (const int64_t inputs : {1, 3, 8, 13, 131}) {
        CAPTURE(bits);
        CAPTURE(inputs);
        ops::TensorMap tensors;
        tensors["w"] = sample::weight({5, inputs}, bits, encoding, static_cast<uint32_t>(inputs));
        ops::Node node;
        node.op = "linear";
        node.tensors["weight"] = "w";
        ops::Edge x = ops::spike_edge({inputs});
        x.hi = 9;
        const ops::ChannelRange range = ops::channel_range({node, {&x}, tensors});
        for (size_t c = 0; c < 5; ++c) {
          int64_t lo = 0, hi = 0;
          for (size_t i = 0; i < static_cast<size_t>(inputs); ++i) {
            const int64_t q = tensor::code_at(tensors["w"], c * static_cast<size_t>(inputs) + i);
            const int64_t m = encoding == Encoding::kOdd ? 2 * q + 1 : q;
            (m > 0 ? hi : lo) += 9 * m;
          }
          CHECK(range.lo[c] == lo);
          CHECK(range.hi[c] == hi);
          CHECK(range.a_max[c] == hi - lo);
        }
      }
    }
  }
}

}  // namespace
}  // namespace snncore
