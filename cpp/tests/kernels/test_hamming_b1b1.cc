// hamming_b1b1_hits: every level, against a count bit by bit.
#include "kernels/common.h"

namespace snncore::test {
namespace {

using kernels::HammingHit;
using kernels::HammingScan;
using kernels::kHammingBlock;

struct Case {
  size_t bytes, blocks, queries, probe;
  Guarded<uint8_t> codes;
  Guarded<uint8_t> query_bytes;
  std::vector<uint32_t> limits;

  Case(Random& random, size_t code_bytes, size_t block_count, size_t query_count, size_t probe_bytes)
      : bytes(code_bytes),
        blocks(block_count),
        queries(query_count),
        probe(probe_bytes),
        codes(blocks * bytes * kHammingBlock),
        query_bytes(queries * bytes, queries % 2) {
    // Few values, so that near and far, zeros and ones, and ties all occur.
    const uint64_t flips = random.pick({uint64_t{0}, uint64_t{0x11}, uint64_t{0xff}});
    const bool zeros = random.chance(0.2);
    for (size_t i = 0; i < codes.size(); ++i) codes[i] = byte(random, flips, zeros);
    for (size_t i = 0; i < query_bytes.size(); ++i) {
      query_bytes[i] = byte(random, flips, zeros);
    }
  }

  static uint8_t byte(Random& random, uint64_t flips, bool zeros) {
    const uint8_t base = zeros ? 0 : 0xc3;
    return static_cast<uint8_t>(base ^ (random.next() & random.next() & flips));
  }

  uint32_t distance(size_t query, size_t code) {
    uint32_t sum = 0;
    for (size_t j = 0; j < bytes; ++j) {
      const size_t at = (code / kHammingBlock * bytes + j) * kHammingBlock + code % kHammingBlock;
      for (uint32_t x = uint32_t{codes[at]} ^ query_bytes[query * bytes + j]; x != 0; x &= x - 1) ++sum;
    }
    return sum;
  }

  bool same(const kernels::KernelTable& table) {
    const size_t stride = blocks * kHammingBlock + 1 + queries;
    Guarded<HammingHit> hits(queries * stride);
    Guarded<size_t> counts(queries);
    Guarded<uint64_t> prepared(bytes * kernels::kHammingPrepared / sizeof(uint64_t));
    table.prepare_hamming_b1(query_bytes.data(), bytes, queries, bytes, prepared.data());
    const HammingScan scan{codes.data(), blocks,        bytes,  prepared.data(),
                           queries,      limits.data(), stride, probe};
    table.hamming_b1b1_hits(scan, hits.data(), counts.data());
    bool same = hits.intact() && counts.intact() && codes.intact() && prepared.intact();
    for (size_t q = 0; q < queries; ++q) {
      size_t count = 0;
      for (size_t code = 0; code < blocks * kHammingBlock; ++code) {
        const uint32_t expected = distance(q, code);
        if (expected >= limits[q]) continue;
        const HammingHit& hit = hits[q * stride + count++];
        same = same && hit.code == code && hit.distance == expected;
      }
      same = same && counts[q] == count;
    }
    return same;
  }
};

void check_all_levels(Case& c) {
  for (const auto& table : tables()) {
    CAPTURE(table.isa);
    CAPTURE(c.bytes);
    CAPTURE(c.blocks);
    CAPTURE(c.queries);
    CAPTURE(c.probe);
    CHECK(c.same(table));
  }
}

TEST_CASE("hamming_b1b1_hits on every level") {
  Random random(21);
  for (const size_t bytes : sizes()) {
    if (bytes == 0) continue;
    for (const size_t queries : {size_t{1}, random.size(2, 7), kernels::kHammingTile}) {
      Case c(random, bytes, random.size(1, 3), queries, random.size(0, bytes));
      const bool near = random.chance(0.7);  // all limits fit a byte
      for (size_t q = 0; q < queries; ++q) {
        const uint32_t reach = near ? 255 : static_cast<uint32_t>(bytes * 8 + 1);
        const uint32_t around = c.distance(q, random.size(0, c.blocks * kHammingBlock - 1));
        c.limits.push_back(random.chance(0.5) && around < reach ? around + 1
                                                                : static_cast<uint32_t>(random.in(0, reach)));
      }
      check_all_levels(c);
    }
  }
}

TEST_CASE("hamming_b1b1_hits: codes as long as they may be, and limits without bound") {
  Random random(22);
  for (const size_t bytes : {size_t{31}, size_t{32}, size_t{8191}, size_t{8192}}) {
    Case c(random, bytes, 1, 3, 0);
    for (size_t i = 0; i < c.codes.size(); ++i) c.codes[i] = i % kHammingBlock < 3 ? 0 : 0xff;
    for (size_t i = 0; i < c.query_bytes.size(); ++i) c.query_bytes[i] = 0;
    for (const std::vector<uint32_t>& limits :
         {std::vector<uint32_t>{UINT32_MAX, 65536, 65535}, {255, 254, 0}, {256, 1, 65537}}) {
      c.limits = limits;
      check_all_levels(c);
    }
  }
}

}  // namespace
}  // namespace snncore::test
