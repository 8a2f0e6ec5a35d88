// The attention products against their sums, on every level, in every packing and order; and what is refused.
#include "ops/attention.h"

#include <string>

#include <snncore/error.h>

#include "kernels/common.h"

namespace snncore::test {
namespace {

constexpr AttentionOrder kOrders[] = {AttentionOrder::kAuto, AttentionOrder::kKvFirst,
                                      AttentionOrder::kQkFirst};

// Random bits [tokens, dim] of one head in both packings.
struct Head {
  size_t tokens, dim;
  Guarded<uint64_t> by_dim, by_token;

  Head(Random& random, size_t n, size_t d, double density)
      : tokens(n), dim(d), by_dim(n * words_for(d)), by_token(d * words_for(n)) {
    for (size_t i = 0; i < n; ++i) {
      for (size_t c = 0; c < d; ++c) {
        if (!random.chance(density)) continue;
        set_bit(by_dim.data() + i * words_for(d), c);
        set_bit(by_token.data() + c * words_for(n), i);
      }
    }
  }
  [[nodiscard]] int32_t at(size_t n, size_t c) {
    return get_bit(by_dim.data() + n * words_for(dim), c) ? 1 : 0;
  }
  ops::HeadBits bits(bool token_packed) {
    return {token_packed ? by_token.data() : by_dim.data(), token_packed};
  }
};

struct Case {
  Head q, k, v;
  std::vector<int32_t> scores, product;

  Case(Random& random, size_t tokens, size_t dim, double density)
      : q(random, tokens, dim, density),
        k(random, tokens, dim, density),
        v(random, tokens, dim, density),
        scores(tokens * tokens),
        product(tokens * dim) {
    for (size_t n = 0; n < tokens; ++n) {
      for (size_t m = 0; m < tokens; ++m) {
        int32_t& score = scores[n * tokens + m];
        for (size_t c = 0; c < dim; ++c) score += q.at(n, c) * k.at(m, c);
        for (size_t c = 0; c < dim; ++c) product[n * dim + c] += score * v.at(m, c);
      }
    }
  }
};

bool same(Guarded<int32_t>& found, const std::vector<int32_t>& expected) {
  return std::memcmp(found.data(), expected.data(), expected.size() * sizeof(int32_t)) == 0 && found.intact();
}

void check_product(Case& c, const kernels::KernelTable& table, AttentionOrder order, unsigned packing) {
  const ops::AttentionPlan plan = ops::plan_attention(c.q.tokens, c.q.dim, order);
  const AlignedBuffer scratch(plan.scratch_bytes);
  Guarded<int32_t> out(c.product.size());
  ops::run_attention(table, plan, c.q.bits((packing & 1) != 0), c.k.bits((packing & 2) != 0),
                     c.v.bits((packing & 4) != 0), out.data(), c.q.dim, scratch.data());
  CHECK(same(out, c.product));
}

void check_map(Random& random, Case& c, const kernels::KernelTable& table, unsigned packing) {
  const size_t tokens = c.q.tokens, dim = c.q.dim, words = words_for(tokens);
  const auto threshold = static_cast<uint32_t>(random.size(0, dim + 1));
  const AlignedBuffer scratch(ops::attention_map_scratch(tokens, dim));
  const AlignedBuffer more(ops::attention_apply_scratch(tokens, dim));
  Guarded<uint64_t> map(tokens * words);
  Guarded<int32_t> out(c.product.size());
  ops::run_attention_map(table, tokens, dim, c.q.bits((packing & 1) != 0), c.k.bits((packing & 2) != 0),
                         threshold, map.data(), scratch.data());
  ops::run_attention_apply(table, tokens, dim, map.data(), c.v.bits((packing & 4) != 0), out.data(),
                           more.data());
  std::vector<int32_t> expected(tokens * dim);
  bool right = map.intact();
  for (size_t n = 0; n < tokens; ++n) {
    for (size_t m = 0; m < tokens; ++m) {
      const bool chosen = c.scores[n * tokens + m] >= static_cast<int32_t>(threshold);
      right = right && get_bit(map.data() + n * words, m) == chosen;
      for (size_t i = 0; i < dim && chosen; ++i) expected[n * dim + i] += c.v.at(m, i);
    }
    right = right && (map[n * words + words - 1] & ~tail_mask(tokens)) == 0;
  }
  CHECK(right);
  CHECK(same(out, expected));
}

void check_case(Random& random, size_t tokens, size_t dim) {
  const double densities[] = {0.0, 0.1, 0.4, 1.0};
  Case c(random, tokens, dim, random.pick(densities));
  for (const auto& table : tables()) {
    CAPTURE(table.isa);
    CAPTURE(tokens);
    CAPTURE(dim);
    for (const AttentionOrder order : kOrders) {
      check_product(c, table, order, static_cast<unsigned>(random.size(0, 7)));
    }
    check_map(random, c, table, static_cast<unsigned>(random.size(0, 7)));
  }
}

TEST_CASE("attention equals its sums on every level, in every packing and order") {
  Random random(1);
  for (const size_t n : {1, 7, 8, 9, 63, 64, 65, 130, 196}) check_case(random, n, random.size(1, 70));
  for (const size_t d : {1, 15, 16, 17, 32, 48, 64, 65, 128}) check_case(random, random.size(1, 100), d);
}

TEST_CASE("attention in blocks of lanes, and with sums past 16 bits") {
  Random random(2);
  check_case(random, 40, 520);
  check_case(random, 1100, 20);
}

BitTensor bits(const Shape& shape) {
  Shape words = shape;
  words.back() = static_cast<int64_t>(words_for(static_cast<size_t>(shape.back())));
  size_t count = 1;
  for (const int64_t extent : words) count *= static_cast<size_t>(extent);
  const std::vector<uint64_t> zeros(count);
  return BitTensor::pack(TensorView{zeros.data(), DType::kB1, shape});
}

TEST_CASE("attention is the same from any number of threads") {
  constexpr int64_t kHeads = 5, kTokens = 1000, kDim = 128;
  Random random(3);
  const auto random_head = [&] {
    std::vector<uint64_t> words(kHeads * kTokens * kDim / 64);
    for (uint64_t& word : words) word = random.next() & random.next();
    return HeadTensor{BitTensor::pack(TensorView{words.data(), DType::kB1, {kHeads, kTokens, kDim}})};
  };
  const HeadTensor q = random_head(), k = random_head(), v = random_head();
  std::vector<int32_t> once(kHeads * kTokens * kDim);
  attention(q, k, v, AttentionOrder::kAuto, 1, once.data());
  const BitTensor map = attention_map(q, k, 9, 1);
  for (const size_t threads : {2, 3, 8}) {
    std::vector<int32_t> out(once.size());
    attention(q, k, v, AttentionOrder::kAuto, threads, out.data());
    CHECK(out == once);
    const BitTensor again = attention_map(q, k, 9, threads);
    CHECK(std::memcmp(again.words(), map.words(), map.rows() * map.row_words() * sizeof(uint64_t)) == 0);
  }
}

std::string refusal(const HeadTensor& q, const HeadTensor& k, size_t threads) {
  std::vector<int32_t> out(4096);
  try {
    attention(q, k, q, AttentionOrder::kAuto, threads, out.data());
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST_CASE("attention refuses shapes that do not fit, and says so") {
  const HeadTensor fits{bits({2, 6, 5})}, turned{bits({2, 5, 6}), true}, other{bits({2, 5, 6})};
  CHECK(refusal(fits, turned, 1).empty());
  CHECK(refusal(fits, fits, 3).empty());
  CHECK(refusal(fits, other, 1) == "attention: k: expected [2, 6, 5] as q, received [2, 5, 6]");
  CHECK(refusal({bits({6})}, fits, 1) == "attention: expected [..., tokens, dim], received [6]");
  CHECK(refusal(fits, fits, 0) == "attention: expected 1 to 256 threads, received 0");
  CHECK(refusal({bits({65536, 1})}, fits, 1).find("at most 65535 tokens") != std::string::npos);
  CHECK(refusal({bits({1, 32768})}, fits, 1).find("a dim of 32767") != std::string::npos);
}

}  // namespace
}  // namespace snncore::test
