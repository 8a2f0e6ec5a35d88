// The classical families: transforms that are exact on integers, and collisions as often as theory says.
#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "lsh/encoder_case.h"
#include "lsh/encoders/e2lsh.h"
#include "lsh/encoders/rotation.h"

namespace snncore::test {
namespace {

TEST_CASE("a rotation of integers is the product with signs and Hadamard's matrix") {
  Random random(1);
  for (const size_t size : {64, 128, 256}) {
    const size_t rounds = random.size(1, 3);
    const lsh::Rotations rotations(random.next(), 2, rounds, size);
    const tensor::Tensor signs = rotations.signs();
    std::vector<float> turned(size);
    std::vector<int64_t> expected(size), next(size);
    for (size_t i = 0; i < size; ++i) turned[i] = static_cast<float>(expected[i] = random.in(-9, 9));
    for (size_t round = 0; round < rounds; ++round) {
      const uint64_t* negative = signs.as<uint64_t>() + (rounds + round) * size / 64;
      for (size_t i = 0; i < size; ++i) expected[i] = get_bit(negative, i) ? -expected[i] : expected[i];
      for (size_t row = 0; row < size; ++row) {
        next[row] = 0;
        for (size_t i = 0; i < size; ++i) {
          next[row] += std::popcount(row & i) % 2 == 0 ? expected[i] : -expected[i];
        }
      }
      expected = next;
    }
    rotations.turn(1, turned.data());
    for (size_t i = 0; i < size; ++i) CHECK(static_cast<int64_t>(turned[i]) == expected[i]);
  }
}

// Two vectors of 64 numbers, of length 1, at an angle.
std::vector<float> pair_at(Random& random, double angle) {
  std::vector<double> a(64), b(64);
  double along = 0, square = 0;
  for (double& v : a) v = random.real();
  for (double& v : b) v = random.real();
  for (const double v : a) square += v * v;
  for (double& v : a) v /= std::sqrt(square);
  for (size_t i = 0; i < 64; ++i) along += a[i] * b[i];
  for (size_t i = 0; i < 64; ++i) b[i] -= along * a[i];
  square = 0;
  for (const double v : b) square += v * v;
  std::vector<float> rows(128);
  for (size_t i = 0; i < 64; ++i) {
    rows[i] = static_cast<float>(a[i]);
    rows[64 + i] = static_cast<float>(std::cos(angle) * a[i] + std::sin(angle) * b[i] / std::sqrt(square));
  }
  return rows;
}

constexpr size_t kBits = 1024, kSeeds = 8;

void check_share(size_t collisions, double expected) {
  const double trials = kBits * kSeeds, deviation = std::sqrt(expected * (1 - expected) / trials);
  CAPTURE(expected);
  CHECK(std::fabs(static_cast<double>(collisions) / trials - expected) < 4 * deviation);
}

TEST_CASE("signs of random projections collide as often as the angle says") {
  Random random(2);
  for (const double angle : {0.3, 0.8, 1.6, 2.5}) {
    size_t collisions = 0;
    for (uint64_t seed = 0; seed < kSeeds; ++seed) {
      const std::vector<float> rows = pair_at(random, angle);
      const auto encoder =
          lsh::fit_encoder("srp", rows.data(), 2, 64, kBits, {.seed = seed, .center = false});
      const std::vector<float> logits = logits_of(*encoder, rows);
      for (size_t b = 0; b < kBits; ++b) collisions += (logits[b] >= 0) == (logits[kBits + b] >= 0) ? 1 : 0;
    }
    check_share(collisions, 1 - angle / std::numbers::pi);
  }
}

TEST_CASE("cells collide as often as Datar's formula says, and bits tell their parity") {
  Random random(3);
  for (const double width : {0.5, 1.0, 3.0}) {
    const double angle = 1.0, distance = 2 * std::sin(angle / 2), r = width / distance;
    const double below = std::erfc(r / std::numbers::sqrt2) / 2;
    const double expected =
        1 - 2 * below - 2 / (std::sqrt(2 * std::numbers::pi) * r) * (1 - std::exp(-r * r / 2));
    size_t collisions = 0;
    for (uint64_t seed = 0; seed < kSeeds; ++seed) {
      const std::vector<float> rows = pair_at(random, angle);
      const auto encoder =
          lsh::fit_encoder("e2lsh", rows.data(), 2, 64, kBits, {.seed = seed, .width = width});
      const std::vector<float> logits = logits_of(*encoder, rows);
      std::vector<float> places(logits.size());
      dynamic_cast<const lsh::E2Lsh&>(*encoder).places(rows.data(), 2, places.data());
      size_t wrong = 0;
      for (size_t i = 0; i < places.size(); ++i) {
        const float within = places[i] - std::floor(places[i]);
        const bool odd = static_cast<int64_t>(std::floor(places[i])) % 2 != 0;
        wrong += odd == (logits[i] >= 0) && std::fabs(logits[i]) == std::min(within, 1 - within) ? 0 : 1;
      }
      CHECK(wrong == 0);
      for (size_t b = 0; b < kBits; ++b) {
        collisions += std::floor(places[b]) == std::floor(places[kBits + b]) ? 1 : 0;
      }
    }
    check_share(collisions, expected);
  }
}

TEST_CASE("cross-polytope bits are the nearest vertex, logits what the best other one is behind") {
  Random random(4);
  const size_t dim = 60, bits = 64, size = 64, each = 7;  // ten functions, the last of one bit
  const std::vector<float> rows = random_rows(random, 5, dim);
  const auto encoder =
      lsh::fit_encoder("cross_polytope", rows.data(), 5, dim, bits, {.seed = 9, .center = false});
  const lsh::Rotations rotations(9, 10, 1, size);
  const std::vector<float> logits = logits_of(*encoder, rows);
  for (size_t row = 0; row < 5; ++row) {
    for (size_t f = 0; f < 10; ++f) {
      std::vector<float> turned(size);
      std::copy_n(rows.data() + row * dim, dim, turned.data());
      rotations.turn(f, turned.data());
      const size_t width = std::min(each, bits - f * each), count = size_t{1} << (width - 1);
      for (size_t bit = 0; bit < width; ++bit) {
        float best[2] = {-1e30F, -1e30F};
        for (size_t vertex = 0; vertex < 2 * count; ++vertex) {
          const float value = vertex < count ? turned[vertex] : -turned[vertex - count];
          float& known = best[vertex >> bit & 1];
          known = std::max(known, value);
        }
        CHECK(logits[row * bits + f * each + bit] == doctest::Approx((best[1] - best[0]) / 8));
      }
    }
  }
}

}  // namespace
}  // namespace snncore::test
