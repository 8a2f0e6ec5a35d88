#include "runtime/map_synapse.h"

#include <algorithm>

#include "base/align.h"
#include "base/bits.h"
#include "kernels/table.h"
#include "ops/infer.h"
#include "runtime/head_rows.h"

namespace snncore::runtime {
namespace {

using kernels::kernels;
using kernels::kPlaneLanes;

// Rows whose counts are made at a time.
constexpr size_t kRows = 64;

size_t lane_pitch(const MapProduct& m) noexcept { return align_up(m.lanes(), kPlaneLanes); }

// The bits that rows share with a lane lie in several tokens, one of each; else in one row.
bool counts_tokens(const MapProduct& m) noexcept { return m.scores != m.pairs_tokens; }

size_t plane_bytes(const MapProduct& m) noexcept {
  return (counts_tokens(m) ? (m.tokens + 7) / 8 : 8 * words_for(m.dim)) * lane_pitch(m);
}

// Rows of scores of channels are columns of spikes: they are turned, too.
size_t turned_bytes(const MapProduct& m) noexcept {
  return m.scores && !m.pairs_tokens ? m.dim * words_for(m.tokens) * sizeof(uint64_t) : 0;
}

// chunk = (step, sample, head). Lane: the head's rows of tokens.
class MapLanesStep final : public Step {
 public:
  MapLanesStep(const MapProduct& product, const Slot& first, const Slot& second, const Slot& lanes)
      : product_(product), first_(first), second_(second), lanes_(lanes) {}
  [[nodiscard]] size_t chunks() const noexcept override {
    return lanes_.steps * lanes_.batch * product_.heads;
  }
  [[nodiscard]] size_t lane_bytes() const noexcept override {
    return head_bytes(product_.tokens, product_.dim);
  }

  void run(const Frame& f, size_t chunk, std::byte* lane) const noexcept override {
    const MapProduct& m = product_;
    const size_t h = chunk % m.heads, sample = chunk / m.heads, t = sample / lanes_.batch,
                 n = sample % lanes_.batch, words = words_for(m.dim);
    const auto tokens = [&](const Slot& in) noexcept {
      return head_rows(in, m.heads, f, t, n, h, 0, m.tokens, reinterpret_cast<uint64_t*>(lane));
    };
    auto* planes = lanes_.row<uint8_t>(f, t, n, h);
    if (counts_tokens(m)) {
      kernels().planes_of_columns_b1(tokens(second_), words, m.tokens, planes, lane_pitch(m));
    } else {
      const bool of_map = !m.scores;
      const uint64_t* rows = of_map ? first_.row<uint64_t>(f, t, n, h * m.dim) : tokens(second_);
      kernels().planes_of_rows_b1(rows, words, m.lanes(), planes, lane_pitch(m));
    }
    if (turned_bytes(m) != 0) {
      auto* turned = reinterpret_cast<uint64_t*>(planes + plane_bytes(m));
      kernels().transpose_b1(tokens(first_), words, m.tokens, m.dim, turned);
    }
  }

 private:
  MapProduct product_;
  Slot first_, second_, lanes_;
};

// Lane: rows that hold any bit, their places among those asked for, and counts.
class MapSynapse final : public Synapse {
 public:
  MapSynapse(const MapProduct& product, const Slot& first, const Slot& second, const Slot& lanes)
      : product_(product),
        first_(first),
        second_(second),
        lanes_(lanes),
        words_(words_for(product.inner())),
        channels_(product.scores ? product.lanes() : product.heads * product.dim) {}
  [[nodiscard]] bool is_static() const noexcept override { return first_.is_static() && second_.is_static(); }
  [[nodiscard]] size_t lane_bytes(size_t, size_t) const noexcept override {
    return row_bytes() + kPlaceBytes + kRows * lane_pitch(product_) * sizeof(uint16_t);
  }
  [[nodiscard]] TileSize good_tile() const noexcept override { return {kRows, 4 * kRows}; }

  void sums(const Frame& f, const Tile& tile, void* out, std::byte* lane) const noexcept override {
    auto* to = static_cast<int32_t*>(out);
    for (size_t t = tile.t; t < tile.t + tile.steps; ++t, to += tile.count * pitch()) {
      product_.scores ? scores(f, tile, t, to, lane) : selected(f, tile, t, to, lane);
    }
  }

 private:
  static constexpr size_t kPlaceBytes = kRows * sizeof(uint32_t);
  [[nodiscard]] size_t row_bytes() const noexcept { return align_up(kRows * words_ * sizeof(uint64_t)); }
  [[nodiscard]] size_t pitch() const noexcept { return kernels::pad_channels(channels_); }

  // A pixel is a row of a head.
  void scores(const Frame& f, const Tile& tile, size_t t, int32_t* to, std::byte* lane) const noexcept {
    const size_t rows = product_.rows();
    for (size_t p = 0; p < tile.count;) {
      const size_t h = (tile.first + p) / rows, r = (tile.first + p) % rows;
      const size_t count = std::min(tile.count - p, rows - r);
      count_rows({t, tile.n, r, count, h}, pitch(), f, to + p * pitch(), lane);
      p += count;
    }
  }

  // A pixel is a token, with the channels of all heads.
  void selected(const Frame& f, const Tile& tile, size_t t, int32_t* to, std::byte* lane) const noexcept {
    for (size_t h = 0; h < product_.heads; ++h) {
      count_rows({t, tile.n, tile.first, tile.count, h}, product_.dim, f, to + h * product_.dim, lane);
    }
    for (size_t p = 0; p < tile.count; ++p) {
      std::fill(to + p * pitch() + channels_, to + (p + 1) * pitch(), 0);
    }
  }

  // Rows of a head.
  struct Run {
    size_t t, n, first, count, head;
  };

  // `width` counts of each row. Rows without bits share none.
  void count_rows(Run run, size_t width, const Frame& f, int32_t* to, std::byte* lane) const noexcept {
    auto* rows = reinterpret_cast<uint64_t*>(lane);
    auto* places = reinterpret_cast<uint32_t*>(lane + row_bytes());
    auto* counts = reinterpret_cast<uint16_t*>(lane + row_bytes() + kPlaceBytes);
    const size_t counts_pitch = lane_pitch(product_);
    const kernels::BytePlanes planes{lanes_.row<uint8_t>(f, run.t, run.n, run.head), counts_pitch,
                                     (product_.inner() + 7) / 8, width};
    for (size_t left = run.count; left != 0; left -= run.count, run.first += run.count) {
      run.count = std::min(left, kRows);
      const size_t found = gather(run, f, rows, places);
      kernels().gemm_b1b1_u16({reinterpret_cast<uint8_t*>(rows), words_ * sizeof(uint64_t), 1, found}, planes,
                              counts, counts_pitch, false);
      for (size_t i = 0, p = 0; p < run.count; ++p, to += pitch()) {
        if (i == found || places[i] != p) {
          std::fill_n(to, width, 0);
        } else {
          std::copy_n(counts + i++ * counts_pitch, width, to);
        }
      }
    }
  }

  // Copies the rows that hold any bit; how many there are.
  size_t gather(const Run& run, const Frame& f, uint64_t* rows, uint32_t* places) const noexcept {
    size_t found = 0;
    for (size_t p = 0; p < run.count; ++p) {
      uint64_t* to = rows + found * words_;
      copy_row(run, run.first + p, f, to);
      uint64_t any = 0;
      for (size_t w = 0; w < words_; ++w) any |= to[w];
      places[found] = static_cast<uint32_t>(p);
      found += any != 0 ? 1 : 0;
    }
    return found;
  }

  void copy_row(const Run& run, size_t r, const Frame& f, uint64_t* to) const noexcept {
    const MapProduct& m = product_;
    if (m.scores == m.pairs_tokens) {  // of a token
      const Slot& in = m.scores ? first_ : second_;
      extract_bits(in.row<uint64_t>(f, run.t, run.n, r), run.head * m.dim, m.dim, to);
      return;
    }
    const auto* turned =
        reinterpret_cast<const uint64_t*>(lanes_.row(f, run.t, run.n, run.head) + plane_bytes(m));
    std::copy_n(
        m.scores ? turned + r * words_ : first_.row<uint64_t>(f, run.t, run.n, run.head * m.tokens + r),
        words_, to);
  }

  MapProduct product_;
  Slot first_, second_, lanes_;
  size_t words_;     // of a row
  size_t channels_;  // of a pixel
};

}  // namespace

bool is_map(const ops::Node& node) { return node.op == "map_scores" || node.op == "map_product"; }

MapProduct map_product(const ops::NodeView& node) {
  MapProduct m;
  m.scores = node.node.op == "map_scores";
  m.pairs_tokens = ops::map_pairs_tokens(node);
  const ops::Edge& x = *node.inputs[1];
  m.heads = static_cast<size_t>(node.integer("heads"));
  m.tokens = static_cast<size_t>(x.pixels());
  m.dim = static_cast<size_t>(x.channels()) / m.heads;
  return m;
}

Slot map_lanes_slot(const MapProduct& product, const Slot& first, const Slot& second) {
  Slot s;
  s.row_bytes = align_up(plane_bytes(product) + turned_bytes(product));
  s.pixels = s.width = product.heads;
  s.batch = second.batch;
  s.steps = std::max(first.steps, second.steps);
  s.type = ops::EdgeType::kSpike;
  return s;
}

std::unique_ptr<Step> map_lanes_step(const MapProduct& product, const Slot& first, const Slot& second,
                                     const Slot& lanes) {
  return std::make_unique<MapLanesStep>(product, first, second, lanes);
}

std::unique_ptr<Synapse> map_synapse(const MapProduct& product, const Slot& first, const Slot& second,
                                     const Slot& lanes) {
  return std::make_unique<MapSynapse>(product, first, second, lanes);
}

}  // namespace snncore::runtime
