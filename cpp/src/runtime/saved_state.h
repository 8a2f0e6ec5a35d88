// The state of a stream as bytes: a header, then what the Session keeps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace snncore::runtime {

/// A part of the state in which kernels rely on some values: bytes of others are refused, whoever made them.
struct StateRows {
  enum class Kind : uint8_t {
    kBits,    ///< rows of packed bits: none past the channels
    kCounts,  ///< rows of uint16: none above `most`
    kAges     ///< bytes: none above the steps that were taken
  };
  Kind kind = Kind::kBits;
  size_t offset = 0, rows = 0, row_bytes = 0, channels = 0;
  int64_t most = 0;
};

/// What the state of a program is made of.
struct KeptState {
  std::vector<StateRows> rows;
  uint64_t nodes = 0xcbf29ce484222325;  ///< a hash of those that keep some, and of how much

  void add(const std::string& op, const std::string& name, size_t bytes);
};

std::vector<std::byte> save_state(const KeptState& kept, int64_t steps, std::span<const std::byte> state);

/// Checks all of `saved`, then copies it to `state`; gives the steps. Throws Error(kFormat).
int64_t load_state(const KeptState& kept, int64_t max_steps, std::span<const std::byte> saved,
                   std::span<std::byte> state);

}  // namespace snncore::runtime
