#include "kernels/sparse_codes.h"

#include <algorithm>
#include <cstdlib>

namespace snncore::kernels {
namespace {

struct Entry {
  int32_t code;
  uint32_t place;
};

// Codes that meet in a byte.
class Chunk {
 public:
  [[nodiscard]] bool takes(const Entry& e, size_t most) const {
    return entries_.size() < most && down_ + std::min(e.code, 0) >= -128 && up_ + std::max(e.code, 0) <= 127;
  }
  void add(const Entry& e) {
    down_ += std::min(e.code, 0);
    up_ += std::max(e.code, 0);
    entries_.push_back(e);
  }
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

 private:
  int32_t down_ = 0, up_ = 0;  // the least and the most that the sum can be
  std::vector<Entry> entries_;
};

// What is not zero, large codes first: the small ones then fill what room is left.
std::vector<Entry> entries_of(const int8_t* codes, size_t count) {
  std::vector<Entry> entries;
  for (size_t i = 0; i < count; ++i) {
    if (codes[i] != 0) entries.push_back({codes[i], static_cast<uint32_t>(i)});
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return std::abs(a.code) > std::abs(b.code); });
  return entries;
}

// Each entry goes into the first of the last few chunks that takes it.
std::vector<Chunk> cut(const std::vector<Entry>& entries, size_t most) {
  constexpr ptrdiff_t kOpen = 8;
  std::vector<Chunk> chunks;
  for (const Entry& e : entries) {
    const auto open = chunks.size() > kOpen ? chunks.end() - kOpen : chunks.begin();
    const auto found = std::find_if(open, chunks.end(), [&](const Chunk& c) { return c.takes(e, most); });
    (found == chunks.end() ? chunks.emplace_back() : *found).add(e);
  }
  return chunks;
}

// The length of chunks that costs least, tried on some of the channels: a code takes about three operations,
// a chunk eight more.
size_t best_chunk(const std::vector<std::vector<Entry>>& channels) {
  const size_t step = std::max<size_t>(1, channels.size() / 16);
  size_t best = 1, least = SIZE_MAX;
  for (const size_t most : {1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64}) {
    size_t chunks = 0;
    for (size_t c = 0; c < channels.size(); c += step) chunks += cut(channels[c], most).size();
    const size_t cost = chunks * (3 * most + 8);
    if (cost >= least) continue;
    least = cost;
    best = most;
  }
  return best;
}

}  // namespace

SparseCodes sparse_codes(const int8_t* codes, size_t channels, size_t taps, size_t inputs) {
  std::vector<std::vector<Entry>> entries(channels);
  for (size_t c = 0; c < channels; ++c) entries[c] = entries_of(codes + c * taps * inputs, taps * inputs);
  SparseCodes out{.chunk = best_chunk(entries), .inputs = inputs, .taps = taps, .channels = channels};
  out.starts.push_back(0);
  for (const auto& channel : entries) {
    for (const Chunk& chunk : cut(channel, out.chunk)) {
      for (const Entry& e : chunk.entries()) {
        out.codes.push_back(static_cast<int32_t>((static_cast<uint32_t>(e.code) & 0xff) * 0x01010101));
        out.places.push_back(e.place);
      }
      out.codes.resize((out.codes.size() + out.chunk - 1) / out.chunk * out.chunk, 0);
      out.places.resize(out.codes.size(), 0);
    }
    out.starts.push_back(static_cast<uint32_t>(out.codes.size() / out.chunk));
  }
  out.starts.resize(pad_channels(channels) + 1, out.starts.back());
  out.codes.shrink_to_fit();
  out.places.shrink_to_fit();
  out.starts.shrink_to_fit();
  return out;
}

}  // namespace snncore::kernels
