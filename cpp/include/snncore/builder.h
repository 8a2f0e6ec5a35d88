/// \file
/// Making a model from code: what importers call.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <snncore/model.h>

namespace snncore {

/// Weights of a conv2d ([C, C_in / groups, kh, kw]) or linear ([C, F]), in the order that PyTorch uses.
/// Either `codes` with an encoding, bits and scale, or `values` (float32).
struct WeightSpec {
  Shape shape;
  std::span<const int8_t> codes;  ///< q of docs/format.md, "Tensors"
  std::string encoding = "f32";   ///< "odd", "sym" or "f32"
  int bits = 32;                  ///< 1, 2, 4, 8; 32 for f32
  std::span<const double> scale;  ///< [C] or [1]: real weight = scale * m (codes only)
  std::span<const float> values;
};

struct ConvSpec {
  std::array<int64_t, 2> stride{1, 1};
  std::array<int64_t, 4> padding{0, 0, 0, 0};  ///< top, bottom, left, right
  std::array<int64_t, 2> dilation{1, 1};
  int64_t groups = 1;
};

struct PoolSpec {
  std::array<int64_t, 2> kernel{2, 2};
  std::array<int64_t, 2> stride{2, 2};
  std::array<int64_t, 4> padding{0, 0, 0, 0};
};

/// A neuron in real units: h = decay * v + input_gain * x; spike when h >= threshold (strict: >); reset to
/// zero, or subtract the threshold. `build` turns it into integers when all weights that feed it are coded
/// (specs: docs/format.md, `lif`).
struct NeuronSpec {
  double decay = 0.5;  ///< 0..1; 1 is an integrate-and-fire neuron
  double input_gain = 1.0;
  double threshold = 1.0;
  std::string reset = "zero";  ///< or "subtract"
  bool strict = false;
  std::string profile = "W";  ///< "U", "W", "X" or "T"; U falls back to W when its constants do not fit
  std::string state =
      "i16";  ///< "i2", "i4", "i8", "i16" or "i32"; the first two in profile W (i2: or T) only
  std::string leak =
      "q15";  ///< "none", "q15", "half_floor", "shift", "tz12"; the parameter follows from decay
  bool leak_at_store = false;
  int64_t theta0 = 0;      ///< profile W: threshold in membrane units; 0: 4096, or 64 (i8)
  int64_t unit_bits = -1;  ///< profile U and X: F; -1: 3 (U) or timesteps - 1 (X)
  /// How a membrane becomes a code where it is kept as one: "linear", or "tanh" as Q-SNN does (then "i8" is a
  /// code, too).
  std::string quantiser = "linear";
  double alpha =
      1.0;  ///< the code with the largest value stands for alpha (tanh), or for alpha thresholds (profile T)
};

/// A neuron in integers, exactly as a file holds it.
struct IntNeuronSpec {
  std::string profile = "W", state = "i16", leak = "q15", reset = "zero";
  int64_t leak_param = 16384;
  bool leak_at_store = false;
  int64_t unit_bits = -1;
  double decay = 0.5, threshold = 1.0, input_gain = 1.0;  ///< provenance
  bool strict = false;                                    ///< provenance
  std::span<const int32_t> theta;                         ///< [C]; profile X: [K, C]; T: [3, C]
  std::span<const int32_t> gamma;                         ///< [6, C] for profile T
  std::span<const int32_t> psi;                           ///< [C] for reset "subtract"
  std::span<const int32_t> load;  ///< "i2" [3], "i4" [15], "i8" [255]: the membranes that codes stand for
  std::span<const int32_t>
      edges;  ///< [2], [14], [254]: where codes above the lowest begin; empty: equal steps
};

/// A fixed-point neuron with a synaptic current, the rule of Loihi and Lava (docs/format.md, `cuba_lif`).
struct CubaNeuronSpec {
  int64_t current_decay = 0, decay = 0;  ///< 0..4096, of 4096: Lava's 4096 - du - 1 and 4096 - dv
  int64_t input_shift = 6;               ///< 0..8
  std::span<const int32_t> theta;        ///< [C], 1..2^23: spike where v >= theta; Lava's (vth << 6) + 1
  std::span<const int32_t> bias;         ///< [C]; Lava's bias_mant << bias_exp
};

/// A parallel spiking neuron (docs/format.md, `psn`).
struct PsnSpec {
  Shape shape;  ///< of `weight`: [T, T], for runs of T steps; or [k], for any number
  std::span<const float>
      weight;                   ///< row t weighs the steps 0..T-1; or the last k steps, the present one last
  std::span<const float> bias;  ///< [T], or [1] with [k]
};

/// The saccadic neuron (docs/format.md, `saccade`), for runs of up to T steps.
struct SaccadeSpec {
  std::string mode;                   ///< "v1_joint", "v2_joint_static", "v2_dec_static", "v2_dec_dynamic"
  std::span<const double> threshold;  ///< [T]
  std::span<const double> mix;        ///< [T, T], lower triangular, for the joint modes
};

/// A parameter of a neuron: one number (shape [] or [1]), one a channel [C], or one a neuron: [C, H, W] or
/// [F].
struct NeuronValue {
  Shape shape;
  std::span<const float> values;
};

/// The parametrised float neuron (docs/neurons.md; docs/format.md, `neuron`): what each stage evaluates.
struct RuleNeuronSpec {
  std::string synapse = "none", charge = "decay", fire = "at_least", voltage = "new";
  std::string reset = "zero", reset_step = "same", floor = "none", refractory = "none";
  bool correct = false;
  int64_t most = 1, refractory_steps = 0;
  std::map<std::string, NeuronValue> values;  ///< "rate", "threshold" ... (docs/neurons.md)
};

/// Adds nodes in order; every method returns the name of the new edge, which equals the node's name.
/// Arguments are copied. Throws Error(kInvalidArgument) or Error(kShape) with layer, expected and received.
/// One thread at a time.
class SNNCORE_API GraphBuilder {
 public:
  GraphBuilder();
  ~GraphBuilder();
  GraphBuilder(GraphBuilder&&) noexcept;
  GraphBuilder& operator=(GraphBuilder&&) noexcept;

  /// `dtype`: "u8" pixels (zero_point and scale required), "b1" spikes, "count<p>" counts up to 2^p - 1 (p
  /// 2..16; a file says u<p>) or "f32" (zero_point and scale optional). `shape`: [C, H, W] or [F].
  std::string input(const std::string& name, const std::string& dtype, const Shape& shape,
                    std::span<const int64_t> zero_point = {}, double scale = 0.0,
                    const std::string& layout = "");
  std::string conv2d(const std::string& name, const std::string& x, const WeightSpec& weight,
                     const ConvSpec& spec, std::span<const double> bias = {});
  /// After `flatten` of an image the columns are in the order C, H, W.
  std::string linear(const std::string& name, const std::string& x, const WeightSpec& weight,
                     std::span<const double> bias = {});
  std::string batch_norm(const std::string& name, const std::string& x, std::span<const double> gamma,
                         std::span<const double> beta, std::span<const double> mean,
                         std::span<const double> var, double eps);
  /// Multiplies sums, with their scales and biases, by factors [T, C], at least 0: of T steps, more of which
  /// a run refuses, or (T = 1) of all. A `lif` of integers must come next.
  std::string step_gain(const std::string& name, const std::string& x, std::span<const double> gain);
  /// `decay` 1 makes an `if`, anything else a `lif`.
  std::string lif(const std::string& name, const std::string& x, const NeuronSpec& spec);
  std::string lif_int(const std::string& name, const std::string& x, const IntNeuronSpec& spec);
  std::string psn(const std::string& name, const std::string& x, const PsnSpec& spec);
  std::string cuba_lif(const std::string& name, const std::string& x, const CubaNeuronSpec& spec);
  /// `x` is float32, or what attention, counts and maps give. The output is spikes, counts (fire "count",
  /// "round") or float32 (fire "none").
  std::string neuron(const std::string& name, const std::string& x, const RuleNeuronSpec& spec);
  std::string requant(
      const std::string& name, const std::vector<std::string>& inputs,
      const std::vector<std::vector<int32_t>>& factors,  ///< for each input M.j (sums) or K.j (spikes) [C]
      std::span<const int32_t> c, std::span<const int32_t> n, bool wide = false);  ///< M.j, c also [T, C]
  /// Adds `x` (sums, or spikes and counts) to an int32 stream, or begins one. `unit` is the real value of
  /// one; 0: of the stream that is continued, else threshold / 4096 of the first neuron that reads it. A
  /// neuron, another residual, `add`, or on the way to a readout a mean over all pixels and a linear come
  /// next.
  std::string residual(const std::string& name, const std::string& x, const std::string& stream = "",
                       double unit = 0);
  /// A stream that begins with the mean of two: `x + (before + now) / 2`. Its unit is half of the finer of
  /// theirs, so that only `x` is rounded. Of three float32 edges the same in float32, in this order.
  std::string couple(const std::string& name, const std::string& x, const std::string& before,
                     const std::string& now);
  /// `residual` in integers; `factors` are empty for inputs that are streams.
  std::string residual_int(const std::string& name, const std::vector<std::string>& inputs,
                           const std::vector<std::vector<int32_t>>& factors, std::span<const int32_t> c,
                           std::span<const int32_t> n, double unit);
  /// `q` and `k` are integer sums, taken as they are; `k` is empty for the modes without kappa.
  std::string saccade(const std::string& name, const std::string& q, const std::string& k,
                      const SaccadeSpec& spec);
  /// Of spikes, or of float32 values, whose padding is left out and must be smaller than the kernel.
  std::string maxpool2d(const std::string& name, const std::string& x, const PoolSpec& spec);
  std::string avgpool2d(const std::string& name, const std::string& x, const PoolSpec& spec);
  std::string add(const std::string& name, const std::vector<std::string>& inputs);
  std::string flatten(const std::string& name, const std::string& x);
  /// The value of `x`, spikes, counts or reals, `steps` (1..4096) steps ago; zero before. `x` may be added
  /// later, which makes the network recurrent: then `shape` ([C, H, W] or [F]) and `dtype` ("b1" or "f32")
  /// say what it will be.
  std::string delay(const std::string& name, const std::string& x, int64_t steps = 1, const Shape& shape = {},
                    const std::string& dtype = "b1");
  /// (Q K^T) V without soft-max, in each head: spikes [D, H, W] of one shape, whose tokens are the pixels.
  /// The sum [D, H, W] is worth 1; the next neuron or batch norm takes its scale. `heads` divides D.
  std::string attention(const std::string& name, const std::string& q, const std::string& k,
                        const std::string& v, int64_t heads = 1);
  /// What pairs share, of spikes [D, H, W] of one shape, in each head: a sum [b, heads, a] for a map,
  /// worth 1. Variant "qk": token a of `x` and token b of `y` (queries, keys) over the D / heads channels;
  /// "kv": channel a of `x` and channel b of `y` (values, keys) over the tokens.
  std::string map_scores(const std::string& name, const std::string& x, const std::string& y,
                         const std::string& variant, int64_t heads = 1);
  /// What a map of spikes [b, heads, a] selects of spikes `x` [D, H, W]: a sum [D, H, W], worth 1. Variant
  /// "qk": of token a, how many of the tokens b of `x` (values) fire in a channel; "kv": of channel a, how
  /// many of the channels b of `x` (queries) fire in a token.
  std::string map_product(const std::string& name, const std::string& map, const std::string& x,
                          const std::string& variant, int64_t heads = 1);
  /// How many spikes of `x`, or of `x` and `y` together where `y` is named, there are over "channels" (a sum
  /// [heads, H, W]), "tokens" ([D, 1, 1], `heads` 1) or "all" ([heads, 1, 1]).
  std::string count(const std::string& name, const std::string& x, const std::string& y,
                    const std::string& over, int64_t heads = 1);
  /// The spikes of `x` [D, H, W] where `mask` fires: [G, H, W], each for D / G channels, or [D, 1, 1].
  std::string mask(const std::string& name, const std::string& x, const std::string& mask);
  /// Integer sums only: `scale` ([F] or [1]) and `bias` ([F]) of a readout whose linear has none; normally
  /// both follow from the linear.
  std::string readout(const std::string& name, const std::string& x, const std::string& mode,
                      std::span<const double> scale = {}, std::span<const double> bias = {});
  void output(const std::string& name, const std::string& edge);

  /// The shape of an edge in user order, [C, H, W] or [F].
  [[nodiscard]] Shape shape(const std::string& edge) const;

  /// Folds batch norms and scales, computes every integer constant once (float64), validates, and makes the
  /// model.
  Model build(int64_t timesteps, const std::vector<std::string>& labels = {},
              const std::optional<PreprocessInfo>& preprocess = {},
              const std::map<std::string, std::string>& provenance = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace snncore
