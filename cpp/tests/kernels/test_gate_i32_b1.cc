// count_groups_b1_i32 and gate_i32_b1: what decides which tokens are looked at.
#include <algorithm>

#include "kernels/common.h"

namespace snncore::test {
namespace {

void check_groups(Random& random, size_t groups, size_t dim, size_t count, bool two) {
  const size_t inputs = groups * dim, words = words_for(inputs),
               stride = align_up(groups, kernels::kGroupPad) + kernels::kGroupPad * random.size(0, 2);
  Guarded<uint64_t> x(count * words, 1), y(count * words);
  std::vector<int32_t> expected(count * stride);
  const double all[] = {0.0, 0.3, 1.0};
  const double density = random.pick(all);
  for (size_t r = 0; r < count; ++r) {
    for (size_t c = 0; c < inputs; ++c) {
      const bool first = random.chance(density), second = random.chance(0.7);
      if (first) set_bit(x.data() + r * words, c);
      if (second) set_bit(y.data() + r * words, c);
      expected[r * stride + c / dim] += first && (second || !two) ? 1 : 0;
    }
  }
  for (const auto& table : tables()) {
    Guarded<int32_t> out(count * stride, 1);
    for (size_t i = 0; i < count * stride; ++i) out[i] = -7;
    table.count_groups_b1_i32({x.data(), two ? y.data() : nullptr, count, words, groups, dim}, out.data(),
                              stride);
    CAPTURE(table.isa);
    CAPTURE(groups);
    CAPTURE(dim);
    CAPTURE(two);
    CHECK(std::equal(expected.begin(), expected.end(), out.data()));
    CHECK(out.intact());
  }
}

TEST_CASE("count_groups_b1_i32 on every level") {
  Random random(1);
  for (const size_t dim : sizes()) {
    if (dim > 0) check_groups(random, random.size(1, 20), dim, random.size(0, 5), random.chance(0.5));
  }
  for (const size_t groups : {1, 7, 8, 9, 12, 16}) {
    for (const size_t dim : {1, 31, 32, 48, 63, 64, 65, 96, 128, 129, 512}) {
      check_groups(random, groups, dim, 3, false);
      check_groups(random, groups, dim, 2, true);
    }
  }
}

// Sums whose doubles are rounded, so that any other order would show, at thresholds that some of them meet.
void check_gate(Random& random, size_t channels, size_t rows, size_t terms) {
  const size_t words = words_for(channels), last = terms - 1;
  std::vector<std::vector<int32_t>> sums(terms);
  std::vector<std::vector<double>> weights(terms);
  std::vector<kernels::GateTerm> all;
  for (size_t j = 0; j < terms; ++j) {
    const size_t stride = channels + random.size(0, 3);
    sums[j].resize(rows * stride);
    weights[j].resize(channels);
    for (int32_t& s : sums[j]) s = static_cast<int32_t>(random.in(-1, 70));
    for (double& w : weights[j]) w = random.chance(0.1) ? 0.0 : static_cast<double>(random.real()) / 3;
    all.push_back({sums[j].data(), stride, weights[j].data()});
  }
  std::vector<double> expected(rows * channels);
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < channels; ++c) {
      double& sum = expected[r * channels + c];
      for (size_t j = 0; j < terms; ++j) sum += weights[j][c] * sums[j][r * all[j].stride + c];
    }
  }
  const double threshold = expected[random.size(0, expected.size() - 1)];
  for (const auto& table : tables()) {
    Guarded<uint64_t> out(rows * words);
    for (size_t i = 0; i < rows * words; ++i) out[i] = ~uint64_t{0};
    table.gate_i32_b1({all.data(), terms, threshold, rows, channels, out.data()});
    bool same = out.intact();
    for (size_t r = 0; r < rows; ++r) {
      for (size_t c = 0; c < 64 * words; ++c) {
        const bool fires = c < channels && expected[r * channels + c] >= threshold;
        same = same && get_bit(out.data() + r * words, c) == fires;
      }
    }
    CAPTURE(table.isa);
    CAPTURE(channels);
    CAPTURE(last);
    CHECK(same);
  }
}

TEST_CASE("gate_i32_b1 on every level") {
  Random random(2);
  for (const size_t channels : sizes()) {
    if (channels > 0) check_gate(random, channels, random.size(1, 9), random.size(1, 6));
  }
  for (const size_t terms : {1, 2, 4, 40}) check_gate(random, 8, 33, terms);
}

}  // namespace
}  // namespace snncore::test
