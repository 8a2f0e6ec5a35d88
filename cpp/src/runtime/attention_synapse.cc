#include "runtime/attention_synapse.h"

#include <algorithm>

#include "base/align.h"
#include "base/bits.h"
#include "kernels/table.h"
#include "ops/attention.h"
#include "runtime/head_rows.h"

namespace snncore::runtime {
namespace {

using kernels::kernels;

// Of a tile, at each step.
constexpr size_t kGoodTokens = 48;

// Of a head: the counts, then what none of them exceeds.
class Products {
 public:
  static size_t row_bytes(const ops::AttentionPlan& plan) noexcept {
    return count_bytes(plan) + kernels::kAlign;
  }

  Products(const Slot& slot, const ops::AttentionPlan& plan, const Frame& f, size_t t, size_t n,
           size_t h) noexcept
      : counts(slot.row<uint16_t>(f, t, n, h)),
        most(reinterpret_cast<uint32_t*>(slot.row(f, t, n, h) + count_bytes(plan))) {}

  uint16_t* counts;
  uint32_t* most;

 private:
  static size_t count_bytes(const ops::AttentionPlan& plan) noexcept {
    return plan.dim * plan.pitch * sizeof(uint16_t);
  }
};

ops::AttentionPlan plan_of(size_t tokens, size_t dim) noexcept {
  return ops::plan_attention(tokens, dim, AttentionOrder::kKvFirst);
}

// chunk = (step, sample, group of heads). Lane: the group's rows of a block of K and V, where it does not
// have all heads; then what the products need.
class KeysValuesStep final : public Step {
 public:
  KeysValuesStep(const Slot& k, const Slot& v, const Slot& products, size_t groups)
      : k_(k),
        v_(v),
        products_(products),
        plan_(plan_of(k.pixels, k.channels / products.pixels)),
        groups_(groups),
        heads_(products.pixels / groups) {
    const size_t blocks = (plan_.tokens + ops::kTokenBlock - 1) / ops::kTokenBlock;
    block_ = align_up((plan_.tokens + blocks - 1) / blocks, 8);
  }
  [[nodiscard]] size_t chunks() const noexcept override {
    return products_.steps * products_.batch * groups_;
  }
  [[nodiscard]] size_t lane_bytes() const noexcept override {
    return 2 * copied_bytes() + ops::keys_values_scratch(heads_, plan_.dim);
  }

  void run(const Frame& f, size_t chunk, std::byte* lane) const noexcept override {
    const size_t g = chunk % groups_, sample = chunk / groups_, t = sample / products_.batch,
                 n = sample % products_.batch;
    const auto products = [&](size_t h) noexcept {
      return Products(products_, plan_, f, t, n, g * heads_ + h);
    };
    for (size_t first = 0; first < plan_.tokens; first += block_) {
      const size_t count = std::min(block_, plan_.tokens - first);
      const auto rows = [&](const Slot& in, std::byte* copies) noexcept {
        auto* to = reinterpret_cast<uint64_t*>(copies);
        return ops::HeadRows{head_rows(in, groups_, f, t, n, g, first, count, to), count, heads_};
      };
      ops::add_keys_values(kernels(), plan_, rows(k_, lane), rows(v_, lane + copied_bytes()),
                           products(0).counts, products_.row_bytes / sizeof(uint16_t), first != 0,
                           lane + 2 * copied_bytes());
    }
    for (size_t h = 0; h < heads_; ++h) *products(h).most = ops::most_product(plan_, products(h).counts);
  }

 private:
  [[nodiscard]] size_t copied_bytes() const noexcept {
    return groups_ == 1 ? 0 : head_bytes(block_, heads_ * plan_.dim);
  }

  Slot k_, v_, products_;
  ops::AttentionPlan plan_;
  size_t groups_, heads_;  // of all, and of a group
  size_t block_;           // tokens
};

class AttentionSynapse final : public Synapse {
 public:
  AttentionSynapse(const Slot& q, const Slot& products)
      : q_(q), products_(products), plan_(plan_of(q.pixels, q.channels / products.pixels)) {}
  [[nodiscard]] bool is_static() const noexcept override { return q_.is_static() && products_.is_static(); }
  [[nodiscard]] size_t lane_bytes(size_t pixels, size_t) const noexcept override {
    return head_bytes(pixels, plan_.dim);
  }

  // A step and head has tables of its own, which cost as much as forty tokens that look into them.
  [[nodiscard]] TileSize good_tile() const noexcept override {
    return {kGoodTokens * products_.steps, kGoodTokens * products_.steps};
  }

  void sums(const Frame& f, const Tile& tile, void* out, std::byte* lane) const noexcept override {
    const size_t heads = products_.pixels, pitch = kernels::pad_channels(q_.channels);
    auto* to = static_cast<int32_t*>(out);
    for (size_t t = tile.t; t < tile.t + tile.steps; ++t, to += tile.count * pitch) {
      for (size_t h = 0; h < heads; ++h) {
        const uint64_t* rows =
            head_rows(q_, heads, f, t, tile.n, h, tile.first, tile.count, reinterpret_cast<uint64_t*>(lane));
        const Products from(products_, plan_, f, t, tile.n, h);
        ops::run_queries(kernels(), plan_, rows, tile.count, from.counts, *from.most, to + h * plan_.dim,
                         pitch);
      }
      for (size_t p = 0; p < tile.count; ++p)
        std::fill(to + p * pitch + q_.channels, to + (p + 1) * pitch, 0);
    }
  }

 private:
  Slot q_, products_;
  ops::AttentionPlan plan_;
};

}  // namespace

bool takes_keys_first(const ops::NodeView& node) {
  const ops::Edge& q = *node.inputs[0];
  const auto tokens = static_cast<size_t>(q.pixels()), channels = static_cast<size_t>(q.channels());
  const size_t dim = channels / static_cast<size_t>(node.integer("heads"));
  return ops::plan_attention(tokens, dim, AttentionOrder::kAuto).kv_first;
}

Slot keys_values_slot(const ops::NodeView& node, const Slot& k, const Slot& v) {
  Slot s = k;
  s.pixels = s.width = static_cast<size_t>(node.integer("heads"));
  s.height = 1;
  s.steps = std::max(k.steps, v.steps);
  s.type = ops::EdgeType::kSum;
  s.channels = k.channels / s.pixels;
  s.row_bytes = Products::row_bytes(plan_of(k.pixels, s.channels));
  return s;
}

std::unique_ptr<Step> keys_values_step(const Slot& k, const Slot& v, const Slot& products, size_t threads) {
  // Heads are taken apart only where threads would have nothing to do.
  const size_t groups = threads <= products.steps * products.batch ? 1 : products.pixels;
  return std::make_unique<KeysValuesStep>(k, v, products, groups);
}

std::unique_ptr<Synapse> attention_synapse(const Slot& q, const Slot& products) {
  return std::make_unique<AttentionSynapse>(q, products);
}

}  // namespace snncore::runtime
