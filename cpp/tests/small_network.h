// A network built through the public interface that uses every kind of step; small enough to run anywhere.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <snncore/snncore.h>

namespace snncore::sample {

/// The same numbers everywhere.
class Numbers {
 public:
  explicit Numbers(uint32_t seed) : state_(seed) {}
  int32_t next(int32_t lo, int32_t hi) {
    state_ = state_ * 1664525 + 1013904223;
    return lo + static_cast<int32_t>((state_ >> 8) % static_cast<uint32_t>(hi - lo + 1));
  }
  std::vector<int8_t> codes(size_t count, int32_t lo, int32_t hi) {
    std::vector<int8_t> out(count);
    for (int8_t& q : out) q = static_cast<int8_t>(next(lo, hi));
    return out;
  }
  std::vector<double> reals(size_t count, double lo, double hi) {
    std::vector<double> out(count);
    for (double& x : out) x = lo + (hi - lo) * next(0, 10000) / 10000.0;
    return out;
  }

 private:
  uint32_t state_;
};

struct SmallOptions {
  NeuronSpec neuron;
  bool residual = true;
};

/// pixels [3, 9, 7] -> conv 8-bit -> neuron -> conv 4-bit -> neuron (+ shortcut) -> pools -> grouped conv
/// 2-bit -> neuron -> linear.
inline Model small_network(const SmallOptions& options, int64_t timesteps = 3) {
  Numbers r(7);
  GraphBuilder b;
  const std::vector<int64_t> zero{120, 125, 130};
  std::string x = b.input("image", "u8", {3, 9, 7}, zero, 1.0 / 64);
  const auto conv = [&](const std::string& name, const std::string& from, int64_t out, int64_t in, int64_t k,
                        int bits, const std::string& encoding, const ConvSpec& spec) {
    const int32_t half = 1 << (bits - 1);
    const auto codes =
        r.codes(static_cast<size_t>(out * in * k * k), encoding == "sym" ? 1 - half : -half, half - 1);
    const auto scale = r.reals(static_cast<size_t>(out), 0.005, 0.01);
    b.conv2d(name, from,
             {.shape = {out, in, k, k},
              .codes = codes,
              .encoding = encoding,
              .bits = bits,
              .scale = scale,
              .values = {}},
             spec);
    const auto n = static_cast<size_t>(out);
    const auto gamma = r.reals(n, -2.0, 4.0), beta = r.reals(n, 0.0, 0.6), mean = r.reals(n, -0.1, 0.1),
               var = r.reals(n, 0.05, 0.3);
    return b.batch_norm(name + ".bn", name, gamma, beta, mean, var, 1e-5);
  };
  const std::string first =
      b.lif("n1", conv("c1", x, 37, 3, 3, 8, "sym", {.padding = {1, 1, 1, 1}}), options.neuron);
  std::string current = conv("c2", first, 37, 37, 3, 4, "odd", {.padding = {1, 1, 1, 1}});
  if (options.residual) current = b.add("sum", {current, first});
  const std::string second = b.lif("n2", current, options.neuron);
  const std::string pooled = b.maxpool2d("max", second, {});
  const std::string third = b.lif("n3",
                                  conv("c3", pooled, 20, 37, 2, 1, "odd",
                                       {.stride = {1, 1}, .padding = {0, 1, 1, 0}, .dilation = {1, 2}}),
                                  options.neuron);
  const std::string mean =
      b.avgpool2d("avg", third, {.kernel = {2, 2}, .stride = {1, 1}, .padding = {0, 0, 0, 0}});
  const std::string fourth = b.lif("n4", conv("c4", mean, 6, 10, 1, 2, "odd", {.groups = 2}), options.neuron);
  const std::string flat = b.flatten("flat", fourth);
  const int64_t features = b.shape(flat)[0];
  const auto codes = r.codes(static_cast<size_t>(5 * features), -127, 127);
  const std::vector<double> scale{0.01}, bias = r.reals(5, -1, 1);
  b.linear(
      "head", flat,
      {.shape = {5, features}, .codes = codes, .encoding = "sym", .bits = 8, .scale = scale, .values = {}},
      bias);
  b.output("logits", b.readout("logits", "head", "mean"));
  return b.build(timesteps, {"a", "b", "c", "d", "e"});
}

inline std::vector<uint8_t> small_image(size_t batch = 1, uint32_t seed = 3) {
  Numbers r(seed);
  std::vector<uint8_t> out(batch * 3 * 9 * 7);
  for (uint8_t& p : out) p = static_cast<uint8_t>(r.next(0, 255));
  return out;
}

}  // namespace snncore::sample
