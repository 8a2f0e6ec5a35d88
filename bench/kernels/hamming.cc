// Distances of Hamming search.
#include <algorithm>
#include <array>

#include "work.h"

namespace snncore::bench {

using namespace kernels;

namespace {

// Workload W6 without the selection: random codes, limits that about one code in 100,000 is below, blocks of
// 64 KB.
Work hamming(size_t codes_count, size_t query_count, size_t bits, uint32_t limit) {
  const size_t bytes = bits / 8, range = 65536 / (bytes * kHammingBlock);
  const size_t together = std::min(query_count, kHammingTile), tiles = query_count / together;
  auto codes = random_values<uint8_t>(codes_count * bytes, 0, 255);
  auto queries = random_values<uint8_t>(query_count * bytes, 0, 255);
  auto prepared = std::make_shared<AlignedBuffer>(tiles * kHammingPrepared * bytes);
  const size_t stride = range * kHammingBlock + 1;
  auto hits = std::make_shared<AlignedBuffer>(kHammingTile * stride * sizeof(HammingHit));
  const double pairs = static_cast<double>(codes_count) * static_cast<double>(query_count);
  return {"hamming_b1b1_hits/" + std::to_string(codes_count) + "x" + std::to_string(query_count) + "x" +
              std::to_string(bits),
          pairs * static_cast<double>(bytes), pairs * static_cast<double>(bits),
          [=](const KernelTable& k) {
            std::array<uint32_t, kHammingTile> limits{};
            limits.fill(limit);
            std::array<size_t, kHammingTile> counts{};
            for (size_t tile = 0; tile < tiles; ++tile) {
              k.prepare_hamming_b1(queries->as<uint8_t>() + tile * together * bytes, bytes, together, bytes,
                                   prepared->data() + tile * kHammingPrepared * bytes);
            }
            const size_t blocks = codes_count / kHammingBlock;
            for (size_t block = 0; block < blocks; block += range) {
              for (size_t tile = 0; tile < tiles; ++tile) {
                const HammingScan scan{codes->as<uint8_t>() + block * bytes * kHammingBlock,
                                       std::min(range, blocks - block),
                                       bytes,
                                       prepared->data() + tile * kHammingPrepared * bytes,
                                       together,
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

// One query reads each code once: its time is that of reading.
Work single_query(size_t codes_count, size_t bits, uint32_t limit) {
  Work work = hamming(codes_count, 1, bits, limit);
  work.operations = work.bytes;
  work.limit = "read_32mb";
  return work;
}

}  // namespace

void add_hamming(std::vector<Work>& work) {
  work.push_back(hamming(1 << 16, 64, 128, 40));
  work.push_back(hamming(1 << 16, 64, 256, 94));
  work.push_back(hamming(1 << 16, 64, 512, 208));
  work.push_back(hamming(1 << 16, 64, 1024, 444));
  work.push_back(single_query(1'000'000, 256, 84));
}

}  // namespace snncore::bench
