// Counts into weights of +1 and -1: the bits of one value after the other, each as spikes, and the sum of
// what they give.
#include <array>
#include <bit>

#include "kernels/table.h"
#include "runtime/group_rows.h"
#include "runtime/synapse_base.h"

namespace snncore::runtime {
namespace {

constexpr size_t kMostPlanes = 4;  // from where on products of bytes are as fast

// Bit p of eight counts below 256, for every p: counts 0 to 3 and 4 to 7 become bytes in turns, and a product
// whose terms nowhere meet brings the lowest bit of each byte to its place.
class Eight {
 public:
  explicit Eight(const uint16_t* counts) noexcept {
    uint64_t low, high;
    std::memcpy(&low, counts, 8);
    std::memcpy(&high, counts + 4, 8);
    bytes_ = low | high << 8;
  }
  [[nodiscard]] uint64_t plane(size_t p) const noexcept {
    return (bytes_ >> p & 0x0101010101010101) * 0x0110022004400880 >> 56;
  }

 private:
  uint64_t bytes_;
};

class CountSynapse final : public SynapseBase {
 public:
  CountSynapse(const SynapseShape& shape, const Slot& input, std::shared_ptr<const PackedWeights> weights,
               size_t planes)
      : SynapseBase(shape, input, weights),
        planes_(planes),
        plane_(plane_of(input)),
        spikes_(spike_synapse(shape, plane_, std::move(weights), true, nullptr)),
        zeros_(shape.padded()) {
    for (size_t p = 0; p < planes; ++p) factors_[p].assign(shape.padded(), int32_t{1} << p);
  }

  [[nodiscard]] size_t lane_bytes(size_t pixels, size_t steps) const noexcept override {
    return planes_ * (plane_bytes(steps) + sum_bytes(pixels * steps)) + spikes_->lane_bytes(pixels, steps);
  }
  [[nodiscard]] TileSize good_tile() const noexcept override { return spikes_->good_tile(); }

  void sums(const Frame& frame, const Tile& tile, void* out, std::byte* lane) const noexcept override {
    const size_t rows = tile.count * tile.steps, bytes = plane_bytes(tile.steps);
    const auto used = split(frame, tile, lane, bytes);
    std::byte* parts = lane + planes_ * bytes;
    std::byte* const rest = parts + planes_ * sum_bytes(rows);
    Frame planes = frame;
    Tile inside = tile;
    inside.t = inside.n = 0;
    const int32_t *a[kMostPlanes], *m[kMostPlanes];
    size_t count = 0;
    for (size_t p = 0; p < planes_; ++p) {
      if (used[p] == 0) continue;
      planes.scratch = lane + p * bytes;
      spikes_->sums(planes, inside, parts, rest);
      a[count] = reinterpret_cast<const int32_t*>(parts);
      m[count++] = factors_[p].data();
      parts += sum_bytes(rows);
    }
    const kernels::Requant q{count, m, zeros_.data(), zeros_.data(), shape_.padded()};
    kernels::kernels().requant_i32_i32(a, q, rows, static_cast<int32_t*>(out));
  }

 private:
  // One plane of one sample, at the steps of a tile.
  static Slot plane_of(Slot s) noexcept {
    s.type = ops::EdgeType::kSpike;
    s.offset = 0;
    s.row_bytes = words_for(s.channels) * sizeof(uint64_t);
    s.batch = 1;
    return s;
  }
  [[nodiscard]] size_t plane_bytes(size_t steps) const noexcept {
    return align_up(steps * plane_.sample_bytes());
  }
  [[nodiscard]] size_t sum_bytes(size_t rows) const noexcept {
    return align_up(rows * shape_.padded() * sizeof(int32_t));
  }

  // The rows that a tile reads, as planes `bytes` apart; tells which of them have a spike.
  using Used = std::array<uint64_t, kMostPlanes>;
  Used split(const Frame& frame, const Tile& tile, std::byte* to, size_t bytes) const noexcept {
    switch (planes_) {
      case 1:
        return split_into<1>(frame, tile, to, bytes);
      case 2:
        return split_into<2>(frame, tile, to, bytes);
      case 3:
        return split_into<3>(frame, tile, to, bytes);
      default:
        return split_into<kMostPlanes>(frame, tile, to, bytes);
    }
  }

  template <size_t kPlanes>
  Used split_into(const Frame& frame, const Tile& tile, std::byte* to, size_t bytes) const noexcept {
    const auto [low, high] = reach(shape_.window, tile);
    const auto rows = static_cast<size_t>(high - low + 1), first = static_cast<size_t>(low);
    Used used{};
    for (size_t t = 0; t < tile.steps; ++t) {
      const auto* counts = input_.row<uint16_t>(frame, tile.t + t, tile.n, first);
      auto* words =
          reinterpret_cast<uint64_t*>(to) + (t * plane_.pixels + first) * words_for(input_.channels);
      for (size_t row = 0; row < rows; ++row) {
        for (size_t c = 0; c < input_.channels; c += 64, ++words) {
          const size_t count = std::min<size_t>(input_.channels - c, 64);
          const auto bits = planes_of<kPlanes>(counts, count);
          counts += count;
          for (size_t p = 0; p < kPlanes; ++p) {
            words[p * bytes / sizeof(uint64_t)] = bits[p];
            used[p] |= bits[p];
          }
        }
      }
    }
    return used;
  }

  template <size_t kPlanes>
  static std::array<uint64_t, kPlanes> planes_of(const uint16_t* counts, size_t count) noexcept {
    std::array<uint64_t, kPlanes> bits{};
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
      const Eight eight(counts + i);
      for (size_t p = 0; p < kPlanes; ++p) bits[p] |= eight.plane(p) << i;
    }
    for (; i < count; ++i) {
      for (size_t p = 0; p < kPlanes; ++p) bits[p] |= uint64_t{counts[i]} >> p << 63 >> (63 - i);
    }
    return bits;
  }

  size_t planes_;
  Slot plane_;
  std::unique_ptr<Synapse> spikes_;
  std::array<std::vector<int32_t>, kMostPlanes> factors_;  // 2^p
  std::vector<int32_t> zeros_;
};

}  // namespace

bool has_planes(const ops::NodeView& node) {
  const ops::Edge& edge = *node.inputs[0];
  const tensor::Tensor& w = *node.find("weight");
  return edge.type == ops::EdgeType::kCount && edge.hi < (1 << kMostPlanes) && w.coded() &&
         w.encoding == tensor::Encoding::kOdd && w.bits == 1;
}

std::unique_ptr<Synapse> count_synapse(const ops::NodeView& node, const SynapseShape& shape,
                                       const Slot& input, std::shared_ptr<const PackedWeights> weights) {
  const auto most = static_cast<uint64_t>(std::max<int64_t>(node.inputs[0]->hi, 1));
  return std::make_unique<CountSynapse>(shape, input, std::move(weights),
                                        static_cast<size_t>(std::bit_width(most)));
}

}  // namespace snncore::runtime
