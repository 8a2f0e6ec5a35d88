#include "runtime/simple_steps.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/align.h"
#include "base/bits.h"
#include "kernels/table.h"
#include "runtime/row_step.h"

namespace snncore::runtime {
namespace {

using ops::EdgeType;

// Bits of neighbours: to[x] = the OR of rows[stride * x + offset] over all offsets.
void or_line(const uint64_t* rows, const std::vector<int64_t>& offsets, int64_t stride, size_t width,
             uint64_t* to) noexcept {
  for (size_t x = 0; x < width; ++x, rows += stride) {
    uint64_t any = 0;
    for (const int64_t offset : offsets) any |= rows[offset];
    to[x] = any;
  }
}

// The same of 2 x 2 that move by 2, two results at a time.
void or_line_2x2(const uint64_t* above, const uint64_t* below, size_t width, uint64_t* to) noexcept {
  typedef uint64_t Pair __attribute__((vector_size(16)));
  const auto pair = [](const uint64_t* from) {
    Pair words;
    std::memcpy(&words, from, sizeof(words));
    return words;
  };
  size_t x = 0;
  for (; x + 2 <= width; x += 2, above += 4, below += 4) {
    const Pair left = pair(above) | pair(below), right = pair(above + 2) | pair(below + 2);
    const Pair both = Pair{left[0], right[0]} | Pair{left[1], right[1]};
    std::memcpy(to + x, &both, sizeof(both));
  }
  if (x < width) to[x] = (above[0] | above[1]) | (below[0] | below[1]);
}

// Rows of one word whose windows all lie inside the image are taken a line at a time, and several lines in a
// chunk: a call for each would take longer than the work.
class MaxPoolStep final : public RowStep {
 public:
  MaxPoolStep(const Window& window, const Slot& in, const Slot& out)
      : RowStep(out),
        window_(window),
        in_(in),
        offsets_(window.tap_offsets()),
        words_(out.row_bytes == sizeof(uint64_t) && window.first_if_inside(0) >= 0 &&
               window.first_if_inside(out.pixels - 1) >= 0),
        pairs_(window.kernel_h == 2 && window.kernel_w == 2 && window.stride_w == 2 &&
               window.dilation_w == 1),
        lines_(words_ ? std::clamp<size_t>(kChunkWords / width(), 1, out.height) : 1) {}
  [[nodiscard]] size_t chunks() const noexcept override {
    return words_ ? out_.steps * out_.batch * parts() : RowStep::chunks();
  }
  [[nodiscard]] size_t lane_bytes() const noexcept override {
    return align_up(window_.taps() * sizeof(uint64_t*));
  }

  void run(const Frame& f, size_t chunk, std::byte* lane) const noexcept override {
    if (!words_) {
      RowStep::run(f, chunk, lane);
      return;
    }
    const size_t sample = chunk / parts(), t = sample / out_.batch, n = sample % out_.batch;
    const size_t first = chunk % parts() * lines_, end = std::min(first + lines_, out_.height);
    const auto* rows = in_.row<uint64_t>(
        f, t, n, static_cast<size_t>(window_.first_if_inside(static_cast<int64_t>(first), 0)));
    auto* to = out_.row<uint64_t>(f, t, n, first * width());
    for (size_t line = first; line < end; ++line, rows += window_.stride_h * window_.in_w, to += width()) {
      if (pairs_) {
        or_line_2x2(rows, rows + offsets_[2], width(), to);
      } else {
        or_line(rows, offsets_, window_.stride_w, width(), to);
      }
    }
  }

 private:
  void row(const Frame& f, size_t t, size_t n, size_t pixel, std::byte* lane) const noexcept override {
    auto** rows = reinterpret_cast<const uint64_t**>(lane);
    size_t count = 0;
    window_.for_taps(pixel, [&](size_t, int64_t from) noexcept {
      if (from >= 0) rows[count++] = in_.row<uint64_t>(f, t, n, static_cast<size_t>(from));
    });
    kernels::kernels().or_rows_b1(rows, count, out_.row<uint64_t>(f, t, n, pixel), out_.row_bytes / 8);
  }

  static constexpr size_t kChunkWords = 256;
  [[nodiscard]] size_t width() const noexcept { return static_cast<size_t>(window_.out_w); }
  [[nodiscard]] size_t parts() const noexcept { return (out_.height + lines_ - 1) / lines_; }

  Window window_;
  Slot in_;
  std::vector<int64_t> offsets_;  // of the taps, from the first
  bool words_, pairs_;
  size_t lines_;  // of a chunk
};

// Of real values: the first of the largest, in the order of the taps; what is not a number stays.
class RealMaxPoolStep final : public RowStep {
 public:
  RealMaxPoolStep(const Window& window, const Slot& in, const Slot& out)
      : RowStep(out), window_(window), in_(in) {}

 private:
  void row(const Frame& f, size_t t, size_t n, size_t pixel, std::byte*) const noexcept override {
    auto* to = out_.row<float>(f, t, n, pixel);
    bool first = true;
    window_.for_taps(pixel, [&](size_t, int64_t from) noexcept {
      if (from < 0) return;
      const auto* row = in_.row<float>(f, t, n, static_cast<size_t>(from));
      if (std::exchange(first, false)) {
        std::memcpy(to, row, out_.row_bytes);
        return;
      }
      for (size_t c = 0; c < in_.channels; ++c) to[c] = row[c] <= to[c] || to[c] != to[c] ? to[c] : row[c];
    });
  }

  Window window_;
  Slot in_;
};

void add_counts(EdgeType type, const std::byte* row, size_t channels, uint16_t* to) noexcept {
  if (type == EdgeType::kSpike) {
    const auto* words = reinterpret_cast<const uint64_t*>(row);
    for (size_t w = 0; w < words_for(channels); ++w) {
      for (uint64_t left = words[w]; left != 0; left &= left - 1) ++to[w * 64 + std::countr_zero(left)];
    }
  } else {
    const auto* counts = reinterpret_cast<const uint16_t*>(row);
    for (size_t c = 0; c < channels; ++c) to[c] = static_cast<uint16_t>(to[c] + counts[c]);
  }
}

class AvgPoolStep final : public RowStep {
 public:
  AvgPoolStep(const Window& window, const Slot& in, const Slot& out)
      : RowStep(out), window_(window), in_(in) {}

 private:
  void row(const Frame& f, size_t t, size_t n, size_t pixel, std::byte*) const noexcept override {
    std::byte* to = out_.row(f, t, n, pixel);
    std::memset(to, 0, out_.row_bytes);
    window_.for_taps(pixel, [&](size_t, int64_t from) noexcept {
      if (from < 0) return;
      const std::byte* row = in_.row(f, t, n, static_cast<size_t>(from));
      if (in_.type != EdgeType::kReal) {
        add_counts(in_.type, row, in_.channels, reinterpret_cast<uint16_t*>(to));
        return;
      }
      for (size_t c = 0; c < in_.channels; ++c)
        reinterpret_cast<float*>(to)[c] += reinterpret_cast<const float*>(row)[c];
    });
    if (in_.type != EdgeType::kReal) return;
    for (size_t c = 0; c < in_.channels; ++c)
      reinterpret_cast<float*>(to)[c] /= static_cast<float>(window_.taps());
  }

  Window window_;
  Slot in_;
};

class AddStep final : public RowStep {
 public:
  AddStep(std::vector<Slot> inputs, std::vector<float> divisors, const Slot& out)
      : RowStep(out), inputs_(std::move(inputs)), divisors_(std::move(divisors)) {}

 private:
  void row(const Frame& f, size_t t, size_t n, size_t pixel, std::byte*) const noexcept override {
    std::byte* to = out_.row(f, t, n, pixel);
    std::memset(to, 0, out_.row_bytes);
    for (size_t j = 0; j < inputs_.size(); ++j) {
      const std::byte* row = inputs_[j].row(f, t, n, pixel);
      if (out_.type == EdgeType::kReal) {
        add_real(j, row, reinterpret_cast<float*>(to));
      } else {
        add_counts(inputs_[j].type, row, out_.channels, reinterpret_cast<uint16_t*>(to));
      }
    }
  }

  // The first input is copied, not added to +0, so that a negative zero stays one.
  void add_real(size_t j, const std::byte* row, float* to) const noexcept {
    for (size_t c = 0; c < out_.channels; ++c) {
      float x = 0.0F;
      switch (inputs_[j].type) {
        case EdgeType::kReal:
          x = reinterpret_cast<const float*>(row)[c];
          break;
        case EdgeType::kSpike:
          x = get_bit(reinterpret_cast<const uint64_t*>(row), c) ? 1.0F : 0.0F;
          break;
        default:
          x = static_cast<float>(reinterpret_cast<const uint16_t*>(row)[c]) / divisors_[j];
          break;
      }
      to[c] = j == 0 ? x : to[c] + x;
    }
  }

  std::vector<Slot> inputs_;
  std::vector<float> divisors_;
};

class CoupleStep final : public RowStep {
 public:
  CoupleStep(std::vector<Slot> inputs, const Slot& out) : RowStep(out), inputs_(std::move(inputs)) {}

 private:
  void row(const Frame& f, size_t t, size_t n, size_t pixel, std::byte*) const noexcept override {
    const auto* x = inputs_[0].row<float>(f, t, n, pixel);
    const auto* before = inputs_[1].row<float>(f, t, n, pixel);
    const auto* now = inputs_[2].row<float>(f, t, n, pixel);
    auto* to = out_.row<float>(f, t, n, pixel);
    for (size_t c = 0; c < out_.channels; ++c) to[c] = x[c] + (before[c] + now[c]) / 2.0F;
  }

  std::vector<Slot> inputs_;
};

class ReadoutStep final : public Step {
 public:
  ReadoutStep(Readout readout, const Slot& in, const Slot& out, std::optional<Slot> sums)
      : readout_(std::move(readout)), in_(in), out_(out), sums_(sums) {}

  [[nodiscard]] size_t chunks() const noexcept override { return in_.batch * blocks(); }

  void run(const Frame& f, size_t chunk, std::byte*) const noexcept override {
    const int64_t steps = (readout_.state_offset ? f.steps_before : 0) + static_cast<int64_t>(readout_.steps);
    const size_t n = chunk / blocks(), first = chunk % blocks() * kBlock,
                 count = std::min(kBlock, outputs() - first);
    if (in_.type == EdgeType::kReal) {
      for (size_t i = first; i < first + count; ++i) real(f, n, i, steps);
      return;
    }
    int64_t sums[kBlock] = {};
    const bool last = readout_.mode == ReadoutMode::kLast;
    for (size_t t = last ? readout_.steps - 1 : 0; t < readout_.steps; ++t) add(f, t, n, first, count, sums);
    for (size_t i = 0; i < count; ++i) integer(f, n, first + i, steps, sums[i]);
  }

 private:
  static constexpr size_t kBlock = 64;  // outputs of a chunk

  [[nodiscard]] size_t blocks() const noexcept { return (outputs() + kBlock - 1) / kBlock; }
  [[nodiscard]] size_t outputs() const noexcept {
    return readout_.pools ? in_.channels : in_.pixels * in_.channels;
  }

  // Vectors that were images keep their rows: output i is channel i % channels of row i / channels.
  template <typename T>
  [[nodiscard]] T& at(const Slot& slot, const Frame& f, size_t t, size_t n, size_t i) const noexcept {
    return slot.row<T>(f, t, n, i / in_.channels)[i % in_.channels];
  }

  [[nodiscard]] int64_t value(const Frame& f, size_t t, size_t n, size_t i) const noexcept {
    switch (in_.type) {
      case EdgeType::kSpike:
        return get_bit(in_.row<uint64_t>(f, t, n, i / in_.channels), i % in_.channels) ? 1 : 0;
      case EdgeType::kCount:
        return at<uint16_t>(in_, f, t, n, i);
      default:
        return at<int32_t>(in_, f, t, n, i);
    }
  }

  // The values of one step; of a stream that is averaged those of all pixels, row by row.
  void add(const Frame& f, size_t t, size_t n, size_t first, size_t count, int64_t* sums) const noexcept {
    if (!readout_.pools) {
      for (size_t i = 0; i < count; ++i) sums[i] += value(f, t, n, first + i);
      return;
    }
    for (size_t p = 0; p < in_.pixels; ++p) {
      const int32_t* row = in_.row<int32_t>(f, t, n, p) + first;
      for (size_t i = 0; i < count; ++i) sums[i] += row[i];
    }
  }

  template <typename T>
  [[nodiscard]] T* kept(const Frame& f, size_t n, size_t i) const noexcept {
    if (!readout_.state_offset) return nullptr;
    return reinterpret_cast<T*>(f.state + *readout_.state_offset) + n * outputs() + i;
  }

  void integer(const Frame& f, size_t n, size_t i, int64_t steps, int64_t sum) const noexcept {
    auto* keep = kept<int64_t>(f, n, i);
    if (keep != nullptr) *keep = sum += readout_.mode == ReadoutMode::kLast ? 0 : *keep;
    if (sums_) at<int64_t>(*sums_, f, 0, n, i) = sum;
    double y = static_cast<double>(sum) * readout_.scale[i];
    double bias = readout_.bias[i];
    if (readout_.mode == ReadoutMode::kMean) y /= static_cast<double>(steps);
    if (readout_.mode == ReadoutMode::kSum) bias *= static_cast<double>(steps);
    at<float>(out_, f, 0, n, i) = static_cast<float>(y + bias);
  }

  void real(const Frame& f, size_t n, size_t i, int64_t steps) const noexcept {
    auto* keep = kept<float>(f, n, i);
    float sum = 0.0F;
    if (readout_.mode == ReadoutMode::kLast) {
      sum = at<float>(in_, f, readout_.steps - 1, n, i);
    } else {
      sum = keep == nullptr ? 0.0F : *keep;
      for (size_t t = 0; t < readout_.steps; ++t) sum += at<float>(in_, f, t, n, i);
    }
    if (keep != nullptr) *keep = sum;
    if (readout_.mode == ReadoutMode::kMean) sum /= static_cast<float>(steps);
    at<float>(out_, f, 0, n, i) = sum;
  }

  Readout readout_;
  Slot in_, out_;
  std::optional<Slot> sums_;
};

}  // namespace

std::unique_ptr<Step> maxpool_step(const Window& window, const Slot& in, const Slot& out) {
  if (in.type == EdgeType::kReal) return std::make_unique<RealMaxPoolStep>(window, in, out);
  return std::make_unique<MaxPoolStep>(window, in, out);
}

std::unique_ptr<Step> avgpool_step(const Window& window, const Slot& in, const Slot& out) {
  return std::make_unique<AvgPoolStep>(window, in, out);
}

std::unique_ptr<Step> add_step(std::vector<Slot> inputs, std::vector<float> divisors, const Slot& out) {
  return std::make_unique<AddStep>(std::move(inputs), std::move(divisors), out);
}

std::unique_ptr<Step> couple_step(std::vector<Slot> inputs, const Slot& out) {
  return std::make_unique<CoupleStep>(std::move(inputs), out);
}

std::unique_ptr<Step> readout_step(Readout readout, const Slot& in, const Slot& out,
                                   std::optional<Slot> sums) {
  return std::make_unique<ReadoutStep>(std::move(readout), in, out, sums);
}

size_t readout_state_bytes(const Slot& in) noexcept {
  return align_up(in.batch * in.pixels * in.channels * sizeof(int64_t));
}

}  // namespace snncore::runtime
