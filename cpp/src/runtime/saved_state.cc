#include "runtime/saved_state.h"

#include <algorithm>
#include <cstring>
#include <string>

#include <snncore/error.h>

#include "base/checked.h"

namespace snncore::runtime {
namespace {

struct Header {
  char magic[8] = {'S', 'N', 'N', 'S', 'T', 'A', 'T', '2'};
  int64_t steps = 0;
  uint64_t nodes = 0;
};

bool are_bits(const std::byte* row, const StateRows& rows) {
  for (size_t first = 0; first < 8 * rows.row_bytes; first += 64) {
    uint64_t word;
    std::memcpy(&word, row + first / 8, sizeof word);
    const size_t exist = rows.channels > first ? rows.channels - first : 0;
    if (exist < 64 && word >> exist != 0) return false;
  }
  return true;
}

bool are_counts(const std::byte* row, const StateRows& rows) {
  for (size_t c = 0; c < rows.channels; ++c) {
    uint16_t count;
    std::memcpy(&count, row + c * sizeof count, sizeof count);
    if (count > rows.most) return false;
  }
  return true;
}

bool are_ages(const std::byte* row, const StateRows& rows, int64_t steps) {
  return std::all_of(row, row + rows.row_bytes,
                     [steps](std::byte age) { return std::to_integer<int64_t>(age) <= steps; });
}

bool holds(const StateRows& rows, const std::byte* state, int64_t steps) {
  for (size_t r = 0; r < rows.rows; ++r) {
    const std::byte* row = state + rows.offset + r * rows.row_bytes;
    switch (rows.kind) {
      case StateRows::Kind::kBits:
        if (!are_bits(row, rows)) return false;
        break;
      case StateRows::Kind::kCounts:
        if (!are_counts(row, rows)) return false;
        break;
      case StateRows::Kind::kAges:
        if (!are_ages(row, rows, steps)) return false;
        break;
    }
  }
  return true;
}

}  // namespace

void KeptState::add(const std::string& op, const std::string& name, size_t bytes) {
  constexpr uint64_t kPrime = 0x100000001b3;  // FNV-1a
  for (const char c : op + '\n' + name + '\n' + std::to_string(bytes) + '\n') {
    nodes = (nodes ^ static_cast<unsigned char>(c)) * kPrime;
  }
}

std::vector<std::byte> save_state(const KeptState& kept, int64_t steps, std::span<const std::byte> state) {
  const Header header{.steps = steps, .nodes = kept.nodes};
  std::vector<std::byte> out(sizeof header + state.size());
  std::memcpy(out.data(), &header, sizeof header);
  std::ranges::copy(state, out.begin() + sizeof header);
  return out;
}

int64_t load_state(const KeptState& kept, int64_t max_steps, std::span<const std::byte> saved,
                   std::span<std::byte> state) {
  Header header;
  const size_t expected = sizeof header + state.size();
  require(saved.size() == expected, ErrorCode::kFormat,
          "state: expected " + std::to_string(expected) + " bytes for this model and batch, received " +
              std::to_string(saved.size()));
  std::memcpy(&header, saved.data(), sizeof header);
  const auto body = saved.subspan(sizeof header);
  require(std::memcmp(header.magic, Header{}.magic, sizeof header.magic) == 0, ErrorCode::kFormat,
          "state: not a state saved by this version of a session");
  require(header.nodes == kept.nodes && header.steps >= 0 && header.steps <= max_steps, ErrorCode::kFormat,
          "state: saved by a session of another model");
  for (const StateRows& rows : kept.rows) {
    require(holds(rows, body.data(), header.steps), ErrorCode::kFormat,
            "state: holds values that no session saves");
  }
  std::ranges::copy(body, state.begin());
  return header.steps;
}

}  // namespace snncore::runtime
