#include "runtime/token_steps.h"

#include <algorithm>
#include <optional>

#include "base/align.h"
#include "base/bits.h"
#include "kernels/table.h"
#include "ops/attention.h"
#include "runtime/head_counts.h"
#include "runtime/head_rows.h"

namespace snncore::runtime {
namespace {

using kernels::kernels;

// What pads a row of sums is zero.
void clear_padding(const Slot& sums, int32_t* row) noexcept {
  std::fill(row + sums.channels, row + kernels::pad_channels(sums.channels), 0);
}

class CountChannels final : public Step {
 public:
  CountChannels(std::vector<Slot> inputs, const Slot& out)
      : counts_(std::move(inputs), out.channels), out_(out) {}
  [[nodiscard]] size_t chunks() const noexcept override { return out_.steps * out_.batch * out_.height; }
  void run(const Frame& f, size_t chunk, std::byte*) const noexcept override {
    const size_t y = chunk % out_.height, sample = chunk / out_.height, t = sample / out_.batch,
                 n = sample % out_.batch, width = out_.pixels / out_.height;
    counts_.write(f, t, n, y * width, width, out_.row<int32_t>(f, t, n, y * width),
                  out_.row_bytes / sizeof(int32_t));
  }

 private:
  HeadCounts counts_;
  Slot out_;
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

// Groups of channels as the bits of a row: for each nibble of a mask and each of its values, the channels
// that it lets through. Whether one is set is never asked, since nobody could foretell it.
class GroupBits {
 public:
  GroupBits(size_t groups, size_t dim) : nibbles_((groups + 3) / 4), words_(words_for(groups * dim)) {
    bits_.resize(nibbles_ * 16 * words_);
    for (size_t i = 0; i < nibbles_ * 16; ++i) {
      for (size_t g = i / 16 * 4; g < std::min(i / 16 * 4 + 4, groups); ++g) {
        if ((i >> g % 4 & 1) == 0) continue;
        for (size_t c = g * dim; c < (g + 1) * dim; ++c) set_bit(bits_.data() + i * words_, c);
      }
    }
  }

  void select(const uint64_t* x, const uint64_t* mask, uint64_t* to) const noexcept {
    const uint64_t* first = row(mask, 0);
    for (size_t w = 0; w < words_; ++w) to[w] = x[w] & first[w];
    for (size_t i = 1; i < nibbles_; ++i) {
      const uint64_t* more = row(mask, i);
      for (size_t w = 0; w < words_; ++w) to[w] |= x[w] & more[w];
    }
  }

 private:
  [[nodiscard]] const uint64_t* row(const uint64_t* mask, size_t i) const noexcept {
    return bits_.data() + (16 * i + (mask[i / 16] >> i % 16 * 4 & 15)) * words_;
  }

  size_t nibbles_, words_;
  std::vector<uint64_t> bits_;
};

// x where the mask has the token's and its group of channels' bit. chunk = (step, sample, image row).
class MaskStep final : public Step {
 public:
  MaskStep(const Slot& x, const Slot& mask, const Slot& out)
      : x_(x), mask_(mask), out_(out), each_token_(mask.pixels == x.pixels) {
    if (mask.channels != x.channels) groups_.emplace(mask.channels, x.channels / mask.channels);
  }
  [[nodiscard]] size_t chunks() const noexcept override { return out_.steps * out_.batch * out_.height; }

  void run(const Frame& f, size_t chunk, std::byte*) const noexcept override {
    const size_t y = chunk % out_.height, sample = chunk / out_.height, t = sample / out_.batch,
                 n = sample % out_.batch, width = out_.pixels / out_.height, first = y * width;
    const auto* x = x_.row<uint64_t>(f, t, n, first);
    const auto* mask = mask_.row<uint64_t>(f, t, n, each_token_ ? first : 0);
    auto* to = out_.row<uint64_t>(f, t, n, first);
    const size_t words = out_.row_bytes / sizeof(uint64_t),
                 mask_words = each_token_ ? mask_.row_bytes / sizeof(uint64_t) : 0;
    for (size_t p = 0; p < width; ++p, x += words, to += words, mask += mask_words) {
      if (groups_) {
        groups_->select(x, mask, to);
      } else {
        for (size_t w = 0; w < words; ++w) to[w] = x[w] & mask[w];
      }
    }
  }

 private:
  Slot x_, mask_, out_;
  bool each_token_;
  std::optional<GroupBits> groups_;
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

bool is_head_count(const ops::Node& node) {
  return node.op == "count" && std::get<std::string>(node.attrs.at("over")) == "channels";
}

std::unique_ptr<Step> token_step(const ops::NodeView& node, std::vector<Slot> inputs, const Slot& out) {
  const std::string& op = node.node.op;
  if (op == "mask") return std::make_unique<MaskStep>(inputs[0], inputs[1], out);
  if (op == "attention") {
    const auto heads = static_cast<size_t>(node.integer("heads"));
    return std::make_unique<AttentionStep>(std::move(inputs), out, heads);
  }
  if (op != "count") return nullptr;
  const std::string& over = node.text("over");
  if (is_head_count(node.node)) return std::make_unique<CountChannels>(std::move(inputs), out);
  return std::make_unique<CountTokens>(std::move(inputs), out, over == "all");
}

}  // namespace snncore::runtime
