// A step whose result is made row by row.
#pragma once

#include "runtime/frame.h"

namespace snncore::runtime {

/// Work on single rows: chunk = (step, sample, image row).
class RowStep : public Step {
 public:
  explicit RowStep(const Slot& out) : out_(out) {}
  [[nodiscard]] size_t chunks() const noexcept override { return out_.steps * out_.batch * out_.height; }
  void run(const Frame& f, size_t chunk, std::byte* lane) const noexcept override {
    const size_t y = chunk % out_.height, sample = chunk / out_.height, width = out_.pixels / out_.height;
    for (size_t x = 0; x < width; ++x) row(f, sample / out_.batch, sample % out_.batch, y * width + x, lane);
  }

 protected:
  virtual void row(const Frame& f, size_t t, size_t n, size_t pixel, std::byte* lane) const noexcept = 0;
  Slot out_;
};

}  // namespace snncore::runtime
