// What GraphBuilder knows of int32 streams before their units are settled.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/built_value.h"

namespace snncore {

/// The real value of one in each stream. Streams that are added have one unit; one that is coupled of two has
/// half of the finer one's, so that halving them loses nothing. Where nobody asks for a unit, the finest of
/// many coupled streams still holds 512 thresholds: the first are coarser for that.
class StreamUnits {
 public:
  /// A coupled stream: how often it adds each of the two as it is.
  struct Coupled {
    size_t stream = 0;
    size_t before_times = 1, now_times = 1;
  };

  /// A new stream; `unit` 0: the first neuron that reads it, or a stream it joins, settles that.
  size_t add(double unit);
  /// A new stream that begins with the mean of two. Throws where one would be added more than 32 times.
  Coupled couple(const std::string& layer, size_t before, size_t now);
  /// Throws Error(kInvalidArgument) naming `layer` where both are settled and differ.
  size_t join(const std::string& layer, size_t a, size_t b);
  /// Has no effect on a stream whose unit is settled.
  void settle(size_t stream, double unit);
  /// Throws where the stream has another unit already.
  void demand(const std::string& layer, size_t stream, double unit);
  [[nodiscard]] double of(size_t stream) const;

 private:
  // Whose unit a stream's own follows from, and how often that is halved.
  struct Place {
    size_t root = 0;
    int halved = 0;
  };
  [[nodiscard]] Place place(size_t stream) const;

  struct Unit {
    double value = 0;
    bool asked = false;  // by a caller, not settled by a neuron
    int deepest = 0;     // how often it is halved at most
  };

  std::vector<Place> follows_;
  std::vector<Unit> units_;  // of roots
};

struct PendingResidual {
  std::string name;
  std::vector<BuiltTerm> terms;      // not the streams
  std::vector<std::string> streams;  // edges that are added as they are
  size_t stream = 0;                 // what it is a part of
};

/// The mean of a stream over its pixels, perhaps through a linear layer, until a readout takes it over time:
/// sums commute, and the stream itself has no rounding to lose.
struct PooledStream {
  std::string edge;  // of the stream
  size_t stream = 0;
  double share = 1.0;                            // of one pixel
  Shape shape;                                   // in user order, as it is now
  std::string pool;                              // the readout's name where a linear layer follows
  std::string layer;                             // that layer, or empty
  std::map<std::string, tensor::Tensor> weight;  // by role
  std::vector<float> bias;
};

/// A stream as it is: no batch norm came after it.
bool is_pure_stream(const BuiltTerm& term);

void complete(graph::Graph& graph, const PendingNeuron& neuron, int64_t steps, const StreamUnits& units);
void complete(graph::Graph& graph, const PendingResidual& residual, const StreamUnits& units);

}  // namespace snncore
