// Weighted sums of an edge: conv2d and linear, for every kind of weight and input.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/align.h"
#include "kernels/lanes.h"
#include "kernels/lut_codes.h"
#include "kernels/neurons.h"
#include "kernels/padding.h"
#include "kernels/sparse_codes.h"
#include "ops/op.h"
#include "runtime/frame.h"
#include "runtime/window.h"

namespace snncore::runtime {

/// Pixels of a tile: fewer cost more, and so do more; in between more are better if enough tiles remain. Its
/// sums stay in the second-level cache.
struct TileSize {
  size_t least, most;
  size_t sum_bytes = 128 * 1024;
};

/// The neurons of a tile, from V = 0: all of `lif` but its sums, and the kernels that step them from rows of
/// sums and from sums in lanes, the latter null where there is none. Sums may be of one step: the same for
/// all. Where spikes enter beside them, `extra` has room for as many rows as the tile has.
struct TileNeurons {
  kernels::LifTile lif;
  void (*step)(const kernels::LifTile& tile);
  void (*step_lanes)(const kernels::LifTile& tile, const kernels::LaneSums& sums);
  kernels::WeightedSpikes spikes{};
  int32_t* extra = nullptr;
};

/// Computes rows of sums, [step][pixel] of a tile, `channels_padded` elements each (int32 for coded weights,
/// float for float weights).
class Synapse {
 public:
  virtual ~Synapse() = default;
  virtual void sums(const Frame& frame, const Tile& tile, void* out, std::byte* lane) const noexcept = 0;
  /// Rows of a tile that lie in memory as `sums` would give them.
  struct Rows {
    const int32_t* first = nullptr;  // null: they do not
    size_t t_stride = 0;             // elements from step to step
  };
  [[nodiscard]] virtual Rows stored(const Frame& /*frame*/, const Tile& /*tile*/) const noexcept {
    return {};
  }
  /// The same, or, where that is faster, the spikes of the neurons that read the sums: says whether.
  virtual bool sums_or_spikes(const Frame& frame, const Tile& tile, const TileNeurons& /*neurons*/, void* out,
                              std::byte* lane) const noexcept {
    sums(frame, tile, out, lane);
    return false;
  }
  [[nodiscard]] virtual bool is_static() const noexcept = 0;
  /// Private bytes that `sums` needs for tiles of at most so many pixels and steps.
  [[nodiscard]] virtual size_t lane_bytes(size_t pixels, size_t steps) const noexcept = 0;
  /// Pixels of a tile, all steps counted: at least enough to share the weights that they bring into the
  /// first-level cache.
  [[nodiscard]] virtual TileSize good_tile() const noexcept { return {48, 48}; }

  /// Says how the layer is cut: tiles of so many pixels from 0 on, the last of what is left, and so many
  /// steps. Others may be asked for too.
  virtual void cut(size_t /*pixels*/, size_t /*steps*/) {}

  Synapse() = default;
  Synapse(const Synapse&) = delete;
  Synapse& operator=(const Synapse&) = delete;
};

/// Weights laid out for the kernels, with the memory behind them; made once for a model and shared by its
/// programs.
struct PackedWeights {
  AlignedBuffer codes;      // int8 or float, all groups behind each other
  AlignedBuffer bounds;     // RowWeights only: uint16, all groups
  AlignedBuffer plus;       // weights of +1 and -1 only: BitWeights, all groups
  AlignedBuffer ones;       // beside plus: [group][channels_padded]
  AlignedBuffer dense;      // DenseWeights only, all groups, or empty: other methods are faster
  AlignedBuffer code_sums;  // ByteWeights only: [group][channels_padded]
  AlignedBuffer init;       // ByteWeights only
  AlignedBuffer lines;      // LineWeights only, of the same weights, or empty: rows are faster
  AlignedBuffer bias;       // float only
  int32_t max_abs = 0;
  std::vector<kernels::SparseCodes> sparse;  // of each group, or empty: other methods are faster
  std::vector<kernels::LutCodes> tables;     // the same

  /// What the heap gave for all of them.
  [[nodiscard]] size_t bytes() const noexcept {
    size_t total = 0;
    for (const kernels::SparseCodes& s : sparse) total += s.bytes();
    for (const kernels::LutCodes& t : tables) total += t.bytes();
    for (const AlignedBuffer* b : {&codes, &bounds, &plus, &ones, &dense, &code_sums, &init, &lines, &bias})
      total += b->allocated();
    return total;
  }
};

/// What a conv2d or linear node is, resolved against the edge it reads.
struct SynapseShape {
  Window window;
  size_t groups = 1;
  size_t inputs = 0;    // input channels of one group
  size_t channels = 0;  // output channels of all groups

  [[nodiscard]] size_t group_channels() const noexcept { return channels / groups; }
  [[nodiscard]] size_t group_padded() const noexcept { return kernels::pad_channels(group_channels()); }
  [[nodiscard]] size_t padded() const noexcept { return kernels::pad_channels(channels); }
};

SynapseShape synapse_shape(const ops::NodeView& node, const Slot& input);

/// The layout that `make_synapse` expects for this node and kind of input.
std::shared_ptr<const PackedWeights> pack_weights(const ops::NodeView& node, const SynapseShape& shape);

/// `input` is the slot of the node's input edge. With a `gate`, what a pixel gives is of use only while the
/// gate will still fire there: sums may be zero where it will not.
std::unique_ptr<Synapse> make_synapse(const ops::NodeView& node, const SynapseShape& shape, const Slot& input,
                                      std::shared_ptr<const PackedWeights> weights, const Slot* gate);

/// Sums that another step has left in memory.
std::unique_ptr<Synapse> stored_sums(const Slot& slot);

/// Integer sums of so many channels as float32, each rounded to the nearest.
std::unique_ptr<Synapse> real_sums(std::unique_ptr<Synapse> sums, size_t channels);

}  // namespace snncore::runtime
