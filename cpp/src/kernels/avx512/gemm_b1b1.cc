#include "kernels/avx512/planes.h"

#include "kernels/avx512/entries.h"

namespace snncore::kernels::avx512 {
namespace {

#include "kernels/body/gemm_b1b1.inc"

// Counts are made in words of four planes, not in bytes: a word of a row is broadcast by its load, a byte
// takes the port that counts bits, and 48 lanes are three vectors, not one of 64 bytes.
constexpr size_t kWordPlanes = 4, kMostWords = 64, kMostRows = 64;
constexpr size_t kLaneVectors = kPlaneLanes / kLanes32;

// Sixteen lanes of up to four planes, each lane a word; planes that do not exist are 0.
inline __m512i words_of(const uint8_t* from, size_t pitch, size_t planes) {
  const auto plane = [&](size_t b) {
    return b < planes ? _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + b * pitch))
                      : _mm_setzero_si128();
  };
  const __m256i low = _mm256_inserti128_si256(_mm256_castsi128_si256(plane(0)), plane(1), 1),
                high = _mm256_inserti128_si256(_mm256_castsi128_si256(plane(2)), plane(3), 1);
  const __m512i all = _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i four = _mm512_mullo_epi32(lane, _mm512_set1_epi32(0x01010101));
  return _mm512_permutexvar_epi8(_mm512_add_epi8(four, _mm512_set1_epi32(0x30201000)), all);
}

// [words][vectors], of all planes.
void pack_words(const BytePlanes& in, size_t vectors, uint32_t* to) {
  for (size_t b = 0; b < in.count; b += kWordPlanes) {
    for (size_t v = 0; v < vectors; ++v, to += kLanes32) {
      _mm512_store_si512(to, words_of(in.bytes + b * in.pitch + v * kLanes32, in.pitch, in.count - b));
    }
  }
}

// Words of rows: that of row r is at from + r * row + w * word, in bytes.
struct RowWords {
  const uint8_t* from;
  size_t row, word;

  [[nodiscard]] I32 at(size_t r, size_t w) const {
    int32_t bits;
    __builtin_memcpy(&bits, from + r * row + w * word, sizeof(bits));
    return splat32(bits);
  }
};

template <size_t kRows, size_t kVectors>
inline void count_tile_words(const RowWords& rows, const uint32_t* lanes, size_t words, uint16_t* counts,
                             size_t pitch, bool add) {
  __m512i sums[kRows][kVectors];
  for (auto& row : sums) {
    for (__m512i& sum : row) sum = _mm512_setzero_si512();
  }
  for (size_t w = 0; w < words; ++w, lanes += kVectors * kLanes32) {
    __m512i lane[kVectors];
    for (size_t v = 0; v < kVectors; ++v) lane[v] = _mm512_load_si512(lanes + v * kLanes32);
#pragma GCC unroll 16
    for (size_t r = 0; r < kRows; ++r) {
      const __m512i row = raw(rows.at(r, w));
      for (size_t v = 0; v < kVectors; ++v) {
        sums[r][v] = _mm512_add_epi32(sums[r][v], _mm512_popcnt_epi32(_mm512_and_si512(row, lane[v])));
      }
    }
  }
#pragma GCC unroll 16
  for (size_t r = 0; r < kRows; ++r) {
    for (size_t v = 0; v < kVectors; ++v) {
      auto* const to = reinterpret_cast<__m256i*>(counts + r * pitch + v * kLanes32);
      const __m256i sum = _mm512_cvtepi32_epi16(sums[r][v]);
      _mm256_storeu_si256(to, add ? _mm256_add_epi16(_mm256_loadu_si256(to), sum) : sum);
    }
  }
}

template <size_t kVectors>
void count_words(RowWords rows, size_t count, const uint32_t* lanes, size_t words, uint16_t* counts,
                 size_t pitch, bool add) {
  constexpr size_t kRows = 16 / kVectors;
  size_t r = 0;
  for (; r + kRows <= count; r += kRows, rows.from += kRows * rows.row, counts += kRows * pitch) {
    count_tile_words<kRows, kVectors>(rows, lanes, words, counts, pitch, add);
  }
  for (; r < count; ++r, rows.from += rows.row, counts += pitch) {
    count_tile_words<1, kVectors>(rows, lanes, words, counts, pitch, add);
  }
}

// As many planes and lanes as kMostWords and kPlaneLanes.
template <size_t kVectors>
void count_part(const ByteRows& in, const BytePlanes& planes, uint16_t* counts, size_t pitch, bool add) {
  alignas(kAlign) uint32_t lanes[kMostWords * kVectors * kLanes32];
  alignas(kAlign) uint32_t turned[kMostWords * kMostRows];
  const size_t words = (planes.count + kWordPlanes - 1) / kWordPlanes;
  pack_words(planes, kVectors, lanes);
  for (size_t r = 0; r < in.rows; r += kMostRows) {
    const size_t some = in.rows - r < kMostRows ? in.rows - r : kMostRows;
    const uint8_t* from = in.bytes + r * in.row_stride;
    RowWords rows{from, in.row_stride, kWordPlanes};
    if (in.byte_stride != 1) {
      const size_t vectors = (some + kLanes32 - 1) / kLanes32;
      pack_words({from, in.byte_stride, planes.count, some}, vectors, turned);
      rows = {reinterpret_cast<const uint8_t*>(turned), sizeof(uint32_t),
              vectors * kLanes32 * sizeof(uint32_t)};
    }
    count_words<kVectors>(rows, some, lanes, words, counts + r * pitch, pitch, add);
  }
}

template <size_t kVectors = kLaneVectors>
void count_lanes(const ByteRows& in, const BytePlanes& planes, uint16_t* counts, size_t pitch, bool add) {
  if constexpr (kVectors > 0) {
    if (planes.lanes > (kVectors - 1) * kLanes32) {
      count_part<kVectors>(in, planes, counts, pitch, add);
    } else {
      count_lanes<kVectors - 1>(in, planes, counts, pitch, add);
    }
  }
}

}  // namespace

void gemm_b1b1_u16(const ByteRows& rows, const BytePlanes& planes, uint16_t* counts, size_t pitch, bool add) {
  constexpr size_t kMostPlanesAtOnce = kMostWords * kWordPlanes;
  for (size_t b = 0; b == 0 || b < planes.count; b += kMostPlanesAtOnce) {
    const size_t some = planes.count - b < kMostPlanesAtOnce ? planes.count - b : kMostPlanesAtOnce;
    const ByteRows part{rows.bytes + b * rows.byte_stride, rows.row_stride, rows.byte_stride, rows.rows};
    for (size_t l = 0; l < planes.lanes; l += kPlaneLanes) {
      const size_t lanes = planes.lanes - l < kPlaneLanes ? planes.lanes - l : kPlaneLanes;
      count_lanes(part, {planes.bytes + b * planes.pitch + l, planes.pitch, some, lanes}, counts + l, pitch,
                  add || b > 0);
    }
  }
}

void gemm_b1b1_b1(const ByteRows& rows, const BytePlanes& planes, uint32_t threshold, uint64_t* out) {
  map_shared(rows, planes, threshold, out);
}

}  // namespace snncore::kernels::avx512
