// Distances of Hamming search.
#include <array>

#include "work.h"

namespace snncore::bench {

using namespace kernels;

namespace {

// Workload W6 without the selection: random codes, limits that about one code in 100,000 is below, blocks of
// 64 KB.
Work hamming(size_t bits, uint32_t limit) {
  constexpr size_t kCodes = 1 << 16, kQueries = 64;
  const size_t bytes = bits / 8, range = 65536 / (bytes * kHammingBlock);
  auto codes = random_values<uint8_t>(kCodes * bytes, 0, 255);
  auto queries = random_values<uint8_t>(kQueries * bytes, 0, 255);
  auto prepared = std::make_shared<AlignedBuffer>(kQueries / kHammingTile * kHammingPrepared * bytes);
  const size_t stride = range * kHammingBlock + 1;
  auto hits = std::make_shared<AlignedBuffer>(kHammingTile * stride * sizeof(HammingHit));
  const double pairs = static_cast<double>(kCodes) * kQueries;
  return {"hamming_b1b1_hits/" + std::to_string(kCodes) + "x" + std::to_string(kQueries) + "x" +
              std::to_string(bits),
          pairs * static_cast<double>(bytes), pairs * static_cast<double>(bits),
          [=](const KernelTable& k) {
            std::array<uint32_t, kHammingTile> limits{};
            limits.fill(limit);
            std::array<size_t, kHammingTile> counts{};
            for (size_t q = 0; q < kQueries; q += kHammingTile) {
              k.prepare_hamming_b1(queries->as<uint8_t>() + q * bytes, bytes, kHammingTile, bytes,
                                   prepared->data() + q / kHammingTile * kHammingPrepared * bytes);
            }
            for (size_t block = 0; block < kCodes / kHammingBlock; block += range) {
              for (size_t tile = 0; tile < kQueries / kHammingTile; ++tile) {
                const HammingScan scan{codes->as<uint8_t>() + block * bytes * kHammingBlock,
                                       range,
                                       bytes,
                                       prepared->data() + tile * kHammingPrepared * bytes,
                                       kHammingTile,
                                       limits.data(),
                                       stride,
                                       0};
                k.hamming_b1b1_hits(scan, hits->as<HammingHit>(), counts.data());
                keep(counts[0]);
              }
            }
          },
          "and_popcount"};
}

}  // namespace

void add_hamming(std::vector<Work>& work) {
  work.push_back(hamming(128, 40));
  work.push_back(hamming(256, 94));
  work.push_back(hamming(512, 208));
  work.push_back(hamming(1024, 444));
}

}  // namespace snncore::bench
