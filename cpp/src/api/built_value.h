// What GraphBuilder knows of a value before the constants of its neurons are settled.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <snncore/builder.h>

#include "graph/graph.h"

namespace snncore {

/// A part of a current: the sum on `edge`, worth gain[t][c] * (a[c] * A + d[c]), or spikes on `edge`. Of a
/// stream a[c] counts in the stream's unit.
struct BuiltTerm {
  std::string edge;
  bool is_sum = true;
  std::vector<double> a, d;
  std::optional<size_t> stream = {};  // which of StreamUnits
  std::vector<double> gain = {};      // of each step, or empty: 1
};

struct PooledStream;

struct BuiltValue {
  std::string edge;              // of spikes, counts, pixels or reals
  std::vector<BuiltTerm> terms;  // of coded sums: not empty until a neuron or readout takes them
  bool affine = false;           // the terms no longer are what the edge alone holds
  std::string float_layer;       // the conv2d or linear with float weights that a batch norm may still enter
  bool folded = false;           // gone into the batch norm after it
  Shape flattened;               // [H, W, C] of the image that this vector was
  std::shared_ptr<const PooledStream> pooled;  // on its way to a readout: nothing is in the graph yet
};

struct PendingNeuron {
  std::string name, requant;
  std::vector<BuiltTerm> terms;
  NeuronSpec spec;
};

struct PendingReadout {
  std::string name;
  std::vector<double> scale, bias;
  std::optional<size_t> stream = {};  // its unit scales the readout
};

/// Computes the constants of a readout and puts them into the graph. Of neurons and streams: api/streams.h.
void complete(graph::Graph& graph, const PendingReadout& readout);

/// Scales the float weights of a layer by g and puts the batch norm's shift into its bias; in float64,
/// rounded once.
void fold_float(graph::Graph& graph, ops::Node& layer, const std::vector<double>& g,
                const std::vector<double>& shift);

}  // namespace snncore
