// Pooling and counting of packed spikes.
#include "base/bits.h"
#include "work.h"

namespace snncore::bench {

using namespace kernels;

namespace {

// 2 x 2 pooling, one call for each output pixel.
Work pool(size_t pixels, size_t words) {
  auto bits = random_values<uint64_t>(4 * pixels * words, 0, 1 << 30);
  auto out = std::make_shared<AlignedBuffer>(words * sizeof(uint64_t));
  const auto touched = static_cast<double>(pixels * words);
  return {"or_rows_b1/" + std::to_string(pixels) + "x4x" + std::to_string(words), touched * 40,
          touched * 4 * 64, [=](const KernelTable& k) {
            for (size_t p = 0; p < pixels; ++p) {
              const uint64_t* first = bits->as<uint64_t>() + p * 4 * words;
              const uint64_t* const rows[] = {first, first + words, first + 2 * words, first + 3 * words};
              k.or_rows_b1(rows, 4, out->as<uint64_t>(), words);
            }
          }};
}

Work popcount(size_t words) {
  auto bits = random_values<uint64_t>(words, 0, 1 << 30);
  return {"popcount_b1/" + std::to_string(words), static_cast<double>(words) * 8,
          static_cast<double>(words) * 64,
          [=](const KernelTable& k) { keep(k.popcount_b1(bits->as<uint64_t>(), words)); }};
}

Work pack(size_t elements) {
  auto bytes = random_values<uint8_t>(elements, 0, 1);
  auto bits = std::make_shared<AlignedBuffer>(words_for(elements) * sizeof(uint64_t));
  const auto count = static_cast<double>(elements);
  return {"pack_u8_b1/" + std::to_string(elements), count * 9 / 8, count,
          [=](const KernelTable& k) { k.pack_u8_b1(bytes->as<uint8_t>(), elements, bits->as<uint64_t>()); }};
}

// Spikes of an attention's channels over its tokens.
Work count_columns(size_t rows, size_t words) {
  auto bits = random_values<uint64_t>(rows * words, 0, 1 << 30);
  auto out = std::make_shared<AlignedBuffer>(words * 64 * sizeof(int32_t));
  const auto read = static_cast<double>(rows * words);
  return {"count_columns_b1_i32/" + std::to_string(rows) + "x" + std::to_string(words), read * 8, read * 64,
          [=](const KernelTable& k) {
            k.count_columns_b1_i32(bits->as<uint64_t>(), nullptr, rows, words, words * 64,
                                   out->as<int32_t>());
          }};
}

// The entry of neurons into a residual stream.
Work requant(size_t rows, size_t channels) {
  auto a = random_values<int32_t>(rows * channels, -100000, 100000);
  auto m = random_values<int32_t>(channels, 0, 1 << 30);
  auto c = random_values<int64_t>(channels, 0, 1 << 30);
  auto n = random_values<int64_t>(channels, 1, 30);
  auto out = std::make_shared<AlignedBuffer>(rows * channels * sizeof(int32_t));
  const auto values = static_cast<double>(rows * channels);
  return {"requant_i64_i32/" + std::to_string(rows) + "x" + std::to_string(channels), values * 8, values,
          [=](const KernelTable& k) {
            const int32_t* sums[] = {a->as<int32_t>()};
            const int32_t* factors[] = {m->as<int32_t>()};
            k.requant_i64_i32(sums, {1, 0, factors, c->as<int64_t>(), n->as<int64_t>(), channels}, rows,
                              out->as<int32_t>());
          }};
}

}  // namespace

void add_bits(std::vector<Work>& work) {
  work.push_back(pool(512, 1));
  work.push_back(pack(262144));
  work.push_back(popcount(4096));
  work.push_back(count_columns(196, 8));
  work.push_back(requant(64, 384));
}

}  // namespace snncore::bench
