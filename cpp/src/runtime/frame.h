// Where values live while a program runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ops/op.h"

namespace snncore::runtime {

/// The memory of one Session, as steps see it.
struct Frame {
  std::byte* scratch = nullptr;  // edges
  std::byte* state = nullptr;    // what survives a run in stream mode
  std::byte* lanes = nullptr;    // private bytes of each worker
  size_t lane_bytes = 0;
  int64_t steps_before = 0;  // stream mode: steps since the last reset

  [[nodiscard]] std::byte* lane(size_t worker) const noexcept { return lanes + worker * lane_bytes; }
};

/// An edge in the scratch arena: rows of channels, [step][sample][pixel]. An edge that does not change with
/// time has one step.
struct Slot {
  size_t offset = 0;
  size_t row_bytes = 0;
  size_t pixels = 1;    // rows of one sample and step; a flattened image keeps the rows of the image
  size_t channels = 1;  // elements of a row
  size_t height = 1, width = 1;
  size_t batch = 1;
  size_t steps = 1;
  ops::EdgeType type = ops::EdgeType::kReal;

  [[nodiscard]] size_t sample_bytes() const noexcept { return pixels * row_bytes; }
  [[nodiscard]] size_t step_bytes() const noexcept { return batch * sample_bytes(); }
  [[nodiscard]] size_t bytes() const noexcept { return steps * step_bytes(); }
  [[nodiscard]] bool is_static() const noexcept { return steps == 1; }

  /// Samples of one pixel each as the pixels of one sample: the same rows.
  [[nodiscard]] Slot joined() const noexcept {
    Slot all = *this;
    all.pixels = all.width = batch;
    all.batch = 1;
    return all;
  }

  /// Row of a pixel; a static edge gives the same row for every t.
  template <typename T = std::byte>
  [[nodiscard]] T* row(const Frame& f, size_t t, size_t n, size_t pixel) const noexcept {
    const size_t step = steps == 1 ? 0 : t;
    return reinterpret_cast<T*>(f.scratch + offset + step * step_bytes() + n * sample_bytes() +
                                pixel * row_bytes);
  }
};

/// A run of output pixels of one sample, at `steps` steps from t on.
struct Tile {
  size_t t = 0, n = 0, first = 0, count = 0, steps = 1;
};

/// One operation of a program. Its work is cut into chunks; what a chunk computes depends neither on where
/// the cuts are nor on the thread that runs it.
class Step {
 public:
  virtual ~Step() = default;
  [[nodiscard]] virtual size_t chunks() const noexcept = 0;
  virtual void run(const Frame& frame, size_t chunk, std::byte* lane) const noexcept = 0;
  [[nodiscard]] virtual size_t lane_bytes() const noexcept { return 0; }

  Step() = default;
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;
};

}  // namespace snncore::runtime
