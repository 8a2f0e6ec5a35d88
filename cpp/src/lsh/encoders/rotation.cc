#include "lsh/encoders/rotation.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/bits.h"
#include "lsh/random.h"

namespace snncore::lsh {
namespace {

constexpr uint32_t kSignBit = 0x80000000;

void flip(const uint32_t* flips, size_t size, float* values) noexcept {
  for (size_t i = 0; i < size; ++i) {
    uint32_t bits;
    std::memcpy(&bits, values + i, sizeof(bits));
    bits ^= flips[i];
    std::memcpy(values + i, &bits, sizeof(bits));
  }
}

void walsh_hadamard(float* values, size_t size) noexcept {
  for (size_t half = 1; half < size; half *= 2) {
    for (size_t first = 0; first < size; first += 2 * half) {
      float *a = values + first, *b = a + half;
      for (size_t i = 0; i < half; ++i) {
        const float sum = a[i] + b[i], difference = a[i] - b[i];
        a[i] = sum;
        b[i] = difference;
      }
    }
  }
}

}  // namespace

size_t Rotations::size_for(size_t dim) noexcept { return std::bit_ceil(std::max<size_t>(dim, 64)); }

Rotations::Rotations(uint64_t seed, size_t count, size_t rounds, size_t size)
    : count_(count), rounds_(rounds), size_(size), flips_(count * rounds * size) {
  std::vector<uint64_t> words(flips_.size() / 64);
  Random random(seed);
  for (uint64_t& word : words) word = random.word();
  set_flips(words.data());
}

Rotations::Rotations(Stored& stored, size_t count, size_t rounds, size_t size)
    : count_(count), rounds_(rounds), size_(size), flips_(count * rounds * size) {
  const Shape shape = {static_cast<int64_t>(count), static_cast<int64_t>(rounds),
                       static_cast<int64_t>(size / 64)};
  set_flips(stored.take("signs", DType::kU64, shape).as<uint64_t>());
}

void Rotations::set_flips(const uint64_t* words) {
  for (size_t i = 0; i < flips_.size(); ++i) flips_[i] = get_bit(words, i) ? kSignBit : 0;
}

void Rotations::turn(size_t rotation, float* values) const noexcept {
  const uint32_t* flips = flips_.data() + rotation * rounds_ * size_;
  for (size_t round = 0; round < rounds_; ++round, flips += size_) {
    flip(flips, size_, values);
    walsh_hadamard(values, size_);
  }
}

float Rotations::growth() const noexcept {
  double growth = 1;
  for (size_t round = 0; round < rounds_; ++round) growth *= std::sqrt(static_cast<double>(size_));
  return static_cast<float>(growth);
}

tensor::Tensor Rotations::signs() const {
  std::vector<uint64_t> words(flips_.size() / 64);
  for (size_t i = 0; i < flips_.size(); ++i) {
    if (flips_[i] != 0) set_bit(words.data(), i);
  }
  return copied(
      words, {static_cast<int64_t>(count_), static_cast<int64_t>(rounds_), static_cast<int64_t>(size_ / 64)});
}

}  // namespace snncore::lsh
