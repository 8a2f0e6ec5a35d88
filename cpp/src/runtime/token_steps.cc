#include "runtime/token_steps.h"

#include <algorithm>
#include <cstring>

#include "base/align.h"
#include "base/bits.h"
#include "kernels/table.h"
#include "ops/attention.h"
#include "runtime/head_rows.h"
#include "runtime/row_step.h"

namespace snncore::runtime {
namespace {

using kernels::kernels;

// What pads a row of sums is zero.
void clear_padding(const Slot& sums, int32_t* row) noexcept {
  std::fill(row + sums.channels, row + kernels::pad_channels(sums.channels), 0);
}

// Each head's spikes of a token, of one edge or of two that fire together. Lane: both, then a head.
class CountChannels final : public RowStep {
 public:
  CountChannels(std::vector<Slot> inputs, const Slot& out)
      : RowStep(out), inputs_(std::move(inputs)), dim_(inputs_[0].channels / out.channels) {}
  [[nodiscard]] size_t lane_bytes() const noexcept override { return 2 * inputs_[0].row_bytes; }

 private:
  void row(const Frame& f, size_t t, size_t n, size_t pixel, std::byte* lane) const noexcept override {
    const size_t words = inputs_[0].row_bytes / sizeof(uint64_t), head_words = words_for(dim_);
    auto* both = reinterpret_cast<uint64_t*>(lane);
    const auto* spikes = inputs_[0].row<uint64_t>(f, t, n, pixel);
    if (inputs_.size() == 2) {
      const auto* others = inputs_[1].row<uint64_t>(f, t, n, pixel);
      for (size_t w = 0; w < words; ++w) both[w] = spikes[w] & others[w];
      spikes = both;
    }
    auto* counts = out_.row<int32_t>(f, t, n, pixel);
    for (size_t h = 0; h < out_.channels; ++h) {
      const uint64_t* head = spikes + h * dim_ / 64;
      if (dim_ % 64 != 0) {
        extract_bits(spikes, h * dim_, dim_, both + words);
        head = both + words;
      }
      counts[h] = static_cast<int32_t>(kernels().popcount_b1(head, head_words));
    }
    clear_padding(out_, counts);
  }

  std::vector<Slot> inputs_;
  size_t dim_;
};

// Each channel's spikes over all tokens or, with `heads`, those of each head. Lane: the channels' counts.
class CountTokens final : public Step {
 public:
  CountTokens(std::vector<Slot> inputs, const Slot& out, bool heads)
      : inputs_(std::move(inputs)), out_(out), heads_(heads) {}
  [[nodiscard]] size_t chunks() const noexcept override { return out_.steps * out_.batch; }
  [[nodiscard]] size_t lane_bytes() const noexcept override { return padded() * sizeof(int32_t); }

  void run(const Frame& f, size_t chunk, std::byte* lane) const noexcept override {
    const size_t t = chunk / out_.batch, n = chunk % out_.batch;
    const Slot& x = inputs_[0];
    const auto* other = inputs_.size() == 2 ? inputs_[1].row<uint64_t>(f, t, n, 0) : nullptr;
    auto* row = out_.row<int32_t>(f, t, n, 0);
    auto* counts = heads_ ? reinterpret_cast<int32_t*>(lane) : row;
    kernels().count_columns_b1_i32(x.row<uint64_t>(f, t, n, 0), other, x.pixels,
                                   x.row_bytes / sizeof(uint64_t), padded(), counts);
    if (!heads_) return;
    const size_t dim = x.channels / out_.channels;
    for (size_t h = 0; h < out_.channels; ++h) {
      row[h] = 0;
      for (size_t c = h * dim; c < (h + 1) * dim; ++c) row[h] += counts[c];
    }
    clear_padding(out_, row);
  }

 private:
  [[nodiscard]] size_t padded() const noexcept { return kernels::pad_channels(inputs_[0].channels); }

  std::vector<Slot> inputs_;
  Slot out_;
  bool heads_;
};

// x where the mask has the token's and its group of channels' bit.
class MaskStep final : public RowStep {
 public:
  MaskStep(const Slot& x, const Slot& mask, const Slot& out)
      : RowStep(out),
        x_(x),
        mask_(mask),
        each_token_(mask.pixels == x.pixels),
        group_(x.channels / mask.channels) {}

 private:
  void row(const Frame& f, size_t t, size_t n, size_t pixel, std::byte*) const noexcept override {
    const auto* x = x_.row<uint64_t>(f, t, n, pixel);
    const auto* mask = mask_.row<uint64_t>(f, t, n, each_token_ ? pixel : 0);
    auto* to = out_.row<uint64_t>(f, t, n, pixel);
    const size_t words = out_.row_bytes / sizeof(uint64_t);
    if (group_ == 1) {
      for (size_t w = 0; w < words; ++w) to[w] = x[w] & mask[w];
      return;
    }
    std::fill_n(to, words, 0);
    for (size_t g = 0; g < mask_.channels; ++g) {
      if (get_bit(mask, g)) copy_bits(x, g * group_, (g + 1) * group_, to);
    }
  }

  // Bits first..end - 1 of x; those of `to` are zero.
  static void copy_bits(const uint64_t* x, size_t first, size_t end, uint64_t* to) noexcept {
    for (size_t w = first / 64; w * 64 < end; ++w) {
      uint64_t bits = x[w];
      if (w * 64 < first) bits &= ~uint64_t{0} << (first % 64);
      if ((w + 1) * 64 > end) bits &= tail_mask(end);
      to[w] |= bits;
    }
  }

  Slot x_, mask_;
  bool each_token_;
  size_t group_;  // channels of one bit of the mask
};

// (Q K^T) V of one head. Lane: the heads' rows, where they do not start on words; then the product's own.
class AttentionStep final : public Step {
 public:
  AttentionStep(std::vector<Slot> inputs, const Slot& out, size_t heads)
      : inputs_(std::move(inputs)),
        out_(out),
        heads_(heads),
        plan_(ops::plan_attention(out.pixels, out.channels / heads, AttentionOrder::kAuto)) {}
  [[nodiscard]] size_t chunks() const noexcept override { return out_.steps * out_.batch * heads_; }
  [[nodiscard]] size_t lane_bytes() const noexcept override {
    return plan_.scratch_bytes + (heads_ == 1 ? 0 : inputs_.size() * copied_bytes());
  }

  void run(const Frame& f, size_t chunk, std::byte* lane) const noexcept override {
    const size_t h = chunk % heads_, sample = chunk / heads_, t = sample / out_.batch,
                 n = sample % out_.batch;
    ops::HeadBits bits[3];
    for (size_t j = 0; j < inputs_.size(); ++j) {
      std::byte* copies = lane + plan_.scratch_bytes + j * copied_bytes();
      bits[j] = {head_rows(inputs_[j], heads_, f, t, n, h, 0, inputs_[j].pixels,
                           reinterpret_cast<uint64_t*>(copies)),
                 false};
    }
    auto* row = out_.row<int32_t>(f, t, n, 0);
    const size_t pitch = out_.row_bytes / sizeof(int32_t);
    ops::run_attention(kernels(), plan_, bits[0], bits[1], bits[2], row + h * plan_.dim, pitch, lane);
    for (size_t p = 0; p < out_.pixels && h + 1 == heads_; ++p) clear_padding(out_, row + p * pitch);
  }

 private:
  [[nodiscard]] size_t copied_bytes() const noexcept { return head_bytes(out_.pixels, plan_.dim); }

  std::vector<Slot> inputs_;
  Slot out_;
  size_t heads_;
  ops::AttentionPlan plan_;
};

}  // namespace

std::unique_ptr<Step> token_step(const ops::NodeView& node, std::vector<Slot> inputs, const Slot& out) {
  const std::string& op = node.node.op;
  if (op == "mask") return std::make_unique<MaskStep>(inputs[0], inputs[1], out);
  if (op == "attention") {
    const auto heads = static_cast<size_t>(node.integer("heads"));
    return std::make_unique<AttentionStep>(std::move(inputs), out, heads);
  }
  if (op != "count") return nullptr;
  const std::string& over = node.text("over");
  if (over == "channels") return std::make_unique<CountChannels>(std::move(inputs), out);
  return std::make_unique<CountTokens>(std::move(inputs), out, over == "all");
}

}  // namespace snncore::runtime
