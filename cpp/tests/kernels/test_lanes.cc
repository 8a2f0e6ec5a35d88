// Sums that stay in lanes, and the neurons that take them: every level against plain sums and the oracle.
#include <optional>

#include "kernels/lif_oracle.h"
#include "kernels/lut_codes.h"
#include "kernels/sparse_codes.h"

namespace snncore::test {
namespace {

using kernels::KernelTable;
using kernels::LaneSums;

struct SpikeShape {
  size_t channels, inputs, taps, places;
  size_t stretches = 1;
};

// Spikes in lanes with the sums of weights of at most `most`, zeros of which there is a share.
struct LaneCase {
  SpikeShape s;
  size_t words, stretch, rows, count;
  Guarded<uint64_t> bits;
  std::vector<uint32_t> offsets;
  std::vector<int8_t> weights;
  std::vector<int32_t> right;  // [channel][place]

  // Taps and stretches start on multiples of `align`.
  LaneCase(Random& random, const SpikeShape& shape, size_t align, int32_t most, double zeros)
      : s(shape),
        words(words_for(s.inputs)),
        stretch(align_up(s.places + random.size(0, 20), align)),
        rows(s.stretches * stretch + 72),
        count(s.stretches * s.places),
        bits(rows * words),
        offsets(s.taps),
        weights(s.channels * s.taps * s.inputs),
        right(s.channels * count) {
    for (size_t r = 0; r < rows; ++r) {
      for (size_t i = 0; i < s.inputs; ++i) {
        if (random.chance(0.4)) set_bit(bits.data() + r * words, i);
      }
    }
    for (uint32_t& offset : offsets) offset = static_cast<uint32_t>(random.size(0, 72 / align) * align);
    for (int8_t& w : weights) {
      w = static_cast<int8_t>(random.chance(zeros) ? 0 : random.in(-most, std::min(most, 127)));
    }
    for (size_t i = 0; i < weights.size(); ++i) {
      const size_t c = i / s.inputs / s.taps, tap = i / s.inputs % s.taps;
      for (size_t q = 0; q < count; ++q) {
        if (get_bit(bits.data() + (place(q) + offsets[tap]) * words, i % s.inputs))
          right[c * count + q] += weights[i];
      }
    }
  }
  [[nodiscard]] size_t place(size_t i) const { return i / s.places * stretch + i % s.places; }
  [[nodiscard]] kernels::SpikeLanes spikes() {
    return {bits.data(), rows, words, offsets.data(), s.places, s.stretches, stretch};
  }

  // `sums(spikes, lanes, pitch)` leaves them in lanes.
  template <typename Sums>
  void check(const char* isa, size_t channels, size_t scratch_bytes, const Sums& sums) {
    const size_t pitch = kernels::lane_pitch(spikes().end());
    Guarded<int16_t> lanes(channels * pitch);
    Guarded<uint8_t> scratch(scratch_bytes);
    sums(spikes(), lanes.data(), pitch, reinterpret_cast<std::byte*>(scratch.data()));
    bool same = lanes.intact() && scratch.intact();
    for (size_t i = 0; i < right.size(); ++i)
      same = same && lanes[i / count * pitch + place(i % count)] == right[i];
    CAPTURE(isa);
    CAPTURE(s.channels);
    CAPTURE(s.inputs);
    CAPTURE(s.places);
    CHECK(same);
  }
};

void check_looks(Random& random, const std::vector<KernelTable>& tables, const SpikeShape& s) {
  LaneCase lanes(random, s, 1, 15, 0);
  for (const KernelTable& table : tables) {
    const kernels::LutCodes codes =
        kernels::lut_codes(lanes.weights.data(), s.channels, s.taps, s.inputs, table.lut_width);
    if (codes.most_runs() > kernels::kLaneRuns) continue;
    lanes.check(table.isa, align_up(s.channels, kernels::kLutChannels),
                kernels::lut_scratch(lanes.rows, s.inputs, s.taps),
                [&](const kernels::SpikeLanes& spikes, int16_t* to, size_t pitch, std::byte* scratch) {
                  table.lut_b1i4_lanes(spikes, codes.view(), to, pitch, scratch);
                });
  }
}

void check_codes(Random& random, const std::vector<KernelTable>& tables, const SpikeShape& s) {
  LaneCase lanes(random, s, kernels::kPlaceAlign, random.chance(0.5) ? 7 : 128, 0.7);
  const kernels::SparseCodes codes =
      kernels::sparse_codes(lanes.weights.data(), s.channels, s.taps, s.inputs);
  if (codes.most_chunks() > kernels::kLaneRuns) return;
  for (const KernelTable& table : tables) {
    lanes.check(table.isa, s.channels, kernels::sparse_scratch(lanes.rows, s.inputs, s.taps),
                [&](const kernels::SpikeLanes& spikes, int16_t* to, size_t pitch, std::byte* scratch) {
                  table.sparse_b1i8_lanes(spikes, codes.view(), to, pitch, scratch);
                });
  }
}

template <typename Check>
void check_shapes(Random& random, const Check& check) {
  const auto levels = tables();
  const size_t taps[] = {1, 4, 9};
  for (const size_t n : sizes()) {
    if (n == 0) continue;
    check(random, levels, {n, random.size(1, 130), random.pick(taps), random.size(1, 40)});
    check(random, levels, {random.size(1, 9), n, random.pick(taps), random.size(1, 99), random.size(1, 4)});
    check(random, levels, {random.size(1, 9), random.size(1, 70), 1, 3 * n});
  }
  check(random, levels, {6, 150, 9, 150});
}

TEST_CASE("lut_b1i4_lanes equals the sum over spikes on every level") {
  Random random(61);
  check_shapes(random, check_looks);
}

TEST_CASE("sparse_b1i8_lanes equals the sum over spikes on every level") {
  Random random(64);
  check_shapes(random, check_codes);
}

struct LineShape {
  size_t channels, place_bytes, width, lines, rows, groups;
};

void check_lines(Random& random, const std::vector<KernelTable>& tables, const LineShape& s, bool extreme) {
  const size_t line = s.width * s.place_bytes + 4 * s.groups, row = 4 * s.groups, codes = s.rows * row;
  const size_t row_step = random.size(1, 2), line_step = random.size(1, 2);
  const size_t count = s.lines * line_step + s.rows * row_step;
  Guarded<uint8_t> bytes(count * line + kernels::kLineTail, random.size(0, 1));
  Guarded<int8_t> weights(s.channels * codes);
  Guarded<int32_t> init(s.channels);
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<uint8_t>(extreme ? 255 : random.in(0, 255));
  for (size_t i = 0; i < weights.size(); ++i)
    weights[i] = static_cast<int8_t>(extreme ? (i / codes % 2 == 0 ? -128 : 127) : random.in(-128, 127));
  for (size_t c = 0; c < s.channels; ++c) init[c] = static_cast<int32_t>(random.in(-1000000, 1000000));

  const size_t lane_line = kernels::line_lanes(s.width), pitch = kernels::lane_pitch(s.lines * lane_line);
  for (const KernelTable& table : tables) {
    Guarded<int32_t> lanes(s.channels * pitch);
    table.lines_u8i8_lanes({bytes.data(), s.lines, s.width, line_step * line, row_step * line, s.place_bytes},
                           {weights.data(), init.data(), s.rows, s.groups, s.channels}, lanes.data(), pitch);
    bool same = lanes.intact();
    for (size_t at = 0; at < s.channels * s.lines * s.width; ++at) {
      const size_t c = at / s.width / s.lines, l = at / s.width % s.lines, p = at % s.width;
      int32_t sum = init[c];
      for (size_t k = 0; k < codes; ++k) {
        sum += weights[c * codes + k] *
               bytes[(l * line_step + k / row * row_step) * line + p * s.place_bytes + k % row];
      }
      same = same && lanes[c * pitch + l * lane_line + p] == sum;
    }
    CAPTURE(table.isa);
    CAPTURE(s.channels);
    CAPTURE(s.place_bytes);
    CAPTURE(s.width);
    CHECK(same);
  }
}

TEST_CASE("lines_u8i8_lanes equals the sum of products on every level") {
  Random random(62);
  const auto levels = tables();
  for (const size_t n : sizes()) {
    if (n == 0) continue;
    for (size_t place_bytes = 1; place_bytes <= kernels::kLineBytes; ++place_bytes) {
      const size_t rows = random.size(1, 5), groups = random.size(1, 5);
      const bool extreme = random.chance(0.2);
      check_lines(random, levels, {n, place_bytes, random.size(1, 40), random.size(1, 3), rows, groups},
                  extreme);
      check_lines(random, levels, {random.size(1, 5), place_bytes, n, random.size(1, 3), rows, groups},
                  extreme);
    }
  }
}

// The sums of a case, channel by channel, with gaps between runs of pixels.
struct Planes {
  std::vector<uint32_t> places;
  std::vector<int32_t> wide;
  std::vector<int16_t> narrow;
  LaneSums sums{};

  template <typename State>
  Planes(Random& random, LifCase<State>& given) {
    const LifSettings& s = given.settings;
    size_t place = random.size(0, 3);
    for (size_t p = 0; p < s.pixels; ++p, ++place) {
      if (random.chance(0.05)) place += random.size(1, 70);
      places.push_back(static_cast<uint32_t>(place));
    }
    const size_t steps = given.is_static ? 1 : s.steps, step = place + random.size(0, 9);
    const size_t pitch = steps * step + random.size(0, 9);
    wide.assign(s.channels * pitch + place + kernels::kLaneTail, INT32_MIN);
    for (size_t i = 0; i < s.channels * steps * s.pixels; ++i) {
      const size_t c = i / s.pixels / steps, t = i / s.pixels % steps, p = i % s.pixels;
      wide[c * pitch + t * step + places[p]] = given.sums[(t * s.pixels + p) * given.cp + c];
    }
    sums = {wide.data(), nullptr, pitch, given.is_static ? 0 : step, places.data()};
    if (given.has_extra) weigh(random, given);
  }

  // The same as int16, if they fit.
  std::optional<LaneSums> narrowed() {
    for (const int32_t sum : wide) {
      if (sum == INT32_MIN) {
        narrow.push_back(INT16_MIN);  // of no pixel
      } else if (sum == static_cast<int16_t>(sum)) {
        narrow.push_back(static_cast<int16_t>(sum));
      } else {
        return std::nullopt;
      }
    }
    return LaneSums{nullptr, narrow.data(), sums.pitch, sums.t_stride, places.data(), sums.spikes};
  }

 private:
  // Spikes that enter beside the sums, with weights up to the limits of int16 and beyond; their rows may be
  // the same at every step. What they weigh becomes the extra currents of `given`.
  template <typename State>
  void weigh(Random& random, LifCase<State>& given) {
    const LifSettings& s = given.settings;
    const size_t words = words_for(given.cp), stride = words + random.size(0, 1);
    const size_t t_stride = random.chance(0.2) ? 0 : s.pixels * stride;
    rows.resize(s.steps * s.pixels * stride);
    for (uint64_t& word : rows) word = random.next() & random.next();
    for (size_t c = 0; c < given.cp; ++c) {
      const int64_t near = near_limits<int16_t>(random, -40000, 40000), small = random.in(-3000, 3000);
      factor.push_back(static_cast<int32_t>(random.chance(0.5) ? near : small));
    }
    for (size_t i = 0; i < given.extra.size(); ++i) {
      const size_t c = i % given.cp, p = i / given.cp % s.pixels, t = i / given.cp / s.pixels;
      const bool spike = get_bit(rows.data() + t * t_stride + p * stride, c);
      given.extra[i] = spike ? factor[c] : 0;
    }
    sums.spikes = {rows.data(), stride, t_stride, s.steps, s.pixels, factor.data()};
  }

  std::vector<uint64_t> rows;
  std::vector<int32_t> factor;
};

void run(const KernelTable& table, const LifTile& tile, const LaneSums& sums, int8_t) {
  table.step_lif_i8_lanes(tile, sums);
}
void run(const KernelTable& table, const LifTile& tile, const LaneSums& sums, int16_t) {
  table.step_lif_i16_lanes(tile, sums);
}

template <typename State>
void sweep(uint64_t seed) {
  Random random(seed);
  const auto levels = tables();
  const int32_t q15[] = {0, 16384, 29491, 32767}, tz12[] = {0, 2048, 4095, 4096};
  for (const size_t channels : sizes()) {
    for (int32_t leak = 0; leak < 5; ++leak) {
      for (int flags = 0; flags < 4; ++flags) {
        LifSettings s{channels, random.size(1, 150), random.size(1, 5), static_cast<Leak>(leak), 0, false,
                      false};
        if (random.chance(0.02)) s.steps = kernels::kLaneSteps;
        if (s.leak == Leak::kQ15) s.leak_param = random.pick(q15);
        if (s.leak == Leak::kShift) s.leak_param = static_cast<int32_t>(random.in(1, 15));
        if (s.leak == Leak::kTz12) s.leak_param = random.pick(tz12);
        s.leak_at_store = (flags & 1) != 0;
        s.subtract = (flags & 2) != 0;
        LifCase<State> given(random, s);
        Planes planes(random, given);
        std::vector<LaneSums> forms{planes.sums};
        if (const auto narrow = planes.narrowed()) forms.push_back(*narrow);
        std::vector<int64_t> zeros(given.start.size());
        LifResult expected = Oracle<State>{given}.run(zeros);
        for (const KernelTable& table : levels) {
          for (const LaneSums& sums : forms) {
            LifResult r = given.result();
            LifTile tile = given.tile();
            given.point_at(tile, r);
            tile.sums = nullptr;
            tile.extra = nullptr;
            tile.record = nullptr;
            run(table, tile, sums, State{});
            CAPTURE(table.isa);
            CAPTURE(channels);
            CAPTURE(leak);
            CAPTURE(flags);
            CAPTURE(given.has_extra);
            CHECK((r.out == expected.out && r.out.intact()));
          }
        }
      }
    }
  }
}

TEST_CASE("step_lif_i8_lanes equals the definition on every level") { sweep<int8_t>(63); }
TEST_CASE("step_lif_i16_lanes equals the definition on every level") { sweep<int16_t>(64); }

}  // namespace
}  // namespace snncore::test
