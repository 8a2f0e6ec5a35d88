// Attention products, without and with a threshold behind the first.
#include "ops/attention.h"
#include "base/bits.h"
#include "work.h"

namespace snncore::bench {

using namespace kernels;

namespace {

// Attention of 4 steps and 8 heads, 196 tokens, 48 wide, packed along dim, from one thread.
struct AttentionCase {
  static constexpr size_t kHeads = 4 * 8, kTokens = 196, kDim = 48;
  AlignedBuffer q{kHeads * kTokens * 8}, k{kHeads * kTokens * 8}, v{kHeads * kTokens * 8};
  AlignedBuffer out{kHeads * kTokens * kTokens * sizeof(int32_t)}, scratch{size_t{1} << 20};

  explicit AttentionCase(double density) {
    for (AlignedBuffer* bits : {&q, &k, &v}) {
      for (size_t i = 0; i < kHeads * kTokens * kDim; ++i) {
        if (random_spike(density)) set_bit(bits->as<uint64_t>() + i / kDim, i % kDim);
      }
    }
  }
  [[nodiscard]] ops::HeadBits head(const AlignedBuffer& bits, size_t i) const {
    return {bits.as<uint64_t>() + i * kTokens, false};
  }
};

Work attention(AttentionOrder order, const char* kind, double density) {
  using Case = AttentionCase;
  auto data = std::make_shared<Case>(density);
  const ops::AttentionPlan plan = ops::plan_attention(Case::kTokens, Case::kDim, order);
  const double products = 1.0 * Case::kHeads * Case::kTokens * Case::kDim * Case::kDim * 2;
  return {"attention/" + std::string(kind) + "_" + std::to_string(static_cast<int>(100 * density)) + "%",
          Case::kHeads * Case::kTokens * (3 * 8.0 + 4 * Case::kDim), products, [=](const KernelTable& t) {
            for (size_t h = 0; h < Case::kHeads; ++h) {
              ops::run_attention(
                  t, plan, data->head(data->q, h), data->head(data->k, h), data->head(data->v, h),
                  data->out.as<int32_t>() + h * Case::kTokens * Case::kDim, Case::kDim, data->scratch.data());
            }
          }};
}

Work attention_map() {
  using Case = AttentionCase;
  auto data = std::make_shared<Case>(0.2);
  const double products = 1.0 * Case::kHeads * Case::kTokens * Case::kTokens * Case::kDim;
  return {"attention_map/20%", Case::kHeads * Case::kTokens * (2 * 8.0 + 4 * 8), products,
          [=](const KernelTable& t) {
            for (size_t h = 0; h < Case::kHeads; ++h) {
              ops::run_attention_map(t, Case::kTokens, Case::kDim, data->head(data->q, h),
                                     data->head(data->k, h), 3,
                                     data->out.as<uint64_t>() + h * Case::kTokens * words_for(Case::kTokens),
                                     data->scratch.data());
            }
          }};
}

}  // namespace

void add_attention(std::vector<Work>& work) {
  for (const double density : {0.1, 0.2, 0.5}) {
    work.push_back(attention(AttentionOrder::kKvFirst, "kv_first", density));
    work.push_back(attention(AttentionOrder::kQkFirst, "qk_first", density));
  }
  work.push_back(attention_map());
}

}  // namespace snncore::bench
