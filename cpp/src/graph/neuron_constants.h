// From a neuron in real units to the integers of its requant and lif nodes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <snncore/builder.h>

namespace snncore::graph {

/// What enters a neuron or a stream: a sum A with the real value gain[t][c] * (a[c] * A + d[c]) (a, gain >=
/// 0), or spikes worth `unit` each.
struct CurrentTerm {
  bool is_sum = true;
  bool is_stream = false;  // the sum is a stream: its products have 64 bits
  std::vector<double> a, d;
  std::vector<int64_t> a_max;  // the largest |A|, for each channel
  std::vector<double> gain;    // [T][C], or empty: 1 at all steps
  double unit = 1.0;           // spikes and counts
  int64_t most = 1;            // largest count

  [[nodiscard]] double gain_at(size_t t, size_t c) const {
    return gain.empty() ? 1.0 : gain[t * a.size() + c];
  }
};

struct NeuronConstants {
  std::vector<std::vector<int32_t>> factors;  // M.j, a row for each step where there are gains, or K.j
  std::vector<int32_t> c, n;                  // c like M.j
  bool wide = false;
  std::vector<int32_t> theta, psi;   // psi stays empty for reset "zero"
  std::vector<int32_t> load, edges;  // of membranes kept as codes: what those stand for, and where they begin
  std::vector<int32_t> gamma;        // profile T: [6][C]; theta is [3][C]
  std::string profile, state, leak;
  int64_t leak_param = 0, unit_bits = -1;
};

/// Throws Error(kInvalidArgument), naming `layer`, for a reset, profile, state, leak or quantiser that is
/// none.
void check_words(const std::string& layer, const NeuronSpec& spec);

/// Computes every constant in float64, rounding floor(x + 1/2) (profiles U, W, X and T of docs/format.md; U
/// becomes W where it does not fit). `steps` is what the model runs by default. Throws
/// Error(kInvalidArgument) naming `layer`.
NeuronConstants neuron_constants(const std::string& layer, const std::vector<CurrentTerm>& terms,
                                 const NeuronSpec& spec, int64_t steps);

}  // namespace snncore::graph
