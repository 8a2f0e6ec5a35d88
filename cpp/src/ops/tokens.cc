// Operations on tokens, which are the pixels of an image [H, W, D]: what attention without soft-max is made
// of.
#include "ops/attention.h"
#include "ops/check.h"
#include "ops/infer.h"

namespace snncore::ops {
namespace {

const Edge& expect_tokens(const NodeView& view, size_t input, const char* name,
                          const char* axes = "[H, W, D]") {
  const Edge& x = *view.inputs[input];
  if (x.type != EdgeType::kSpike || !x.is_image()) {
    view.fail(std::string(name) + " must be spikes b1 " + axes + ", is " + edge_text(x));
  }
  return x;
}

void expect_alike(const NodeView& view, size_t input, const char* name, const Edge& first) {
  const Edge& x = expect_tokens(view, input, name);
  if (x.shape != first.shape) {
    view.fail(std::string(name) + " must have the shape " + shape_string(first.shape) + ", has " +
              shape_string(x.shape));
  }
}

/// Channels of one head.
int64_t head_channels(const NodeView& view, const Edge& x) {
  const int64_t heads = integer_in(view, "heads", 1, x.channels());
  if (x.channels() % heads != 0) {
    view.fail("attribute 'heads' must divide the " + std::to_string(x.channels()) + " channels, is " +
              std::to_string(heads));
  }
  return x.channels() / heads;
}

/// Channels of one head, few enough for the kernels, and so are the tokens.
int64_t counted_channels(const NodeView& view, const Edge& x) {
  const int64_t dim = head_channels(view, x), tokens = x.pixels();
  if (tokens > static_cast<int64_t>(kMostTokens) || dim > static_cast<int64_t>(kMostDim)) {
    view.fail("takes at most " + std::to_string(kMostTokens) + " tokens and " + std::to_string(kMostDim) +
              " channels a head, has " + std::to_string(tokens) + " and " + std::to_string(dim));
  }
  return dim;
}

/// The map of the heads of x, and how much an entry counts at most.
struct MapShape {
  Shape shape;
  int64_t most;
};

MapShape map_shape(const NodeView& view, const Edge& x) {
  const int64_t dim = counted_channels(view, x), tokens = x.pixels();
  const bool pairs_tokens = map_pairs_tokens(view);
  const int64_t side = pairs_tokens ? tokens : dim;
  const Shape shape{x.channels() / dim, side, side};
  expect_size(view, shape);
  return {shape, pairs_tokens ? dim : tokens};
}

}  // namespace

bool map_pairs_tokens(const NodeView& view) {
  const std::string& variant = view.text("variant");
  if (variant != "qk" && variant != "kv") {
    view.fail("attribute 'variant' must be qk or kv, is '" + variant + "'");
  }
  return variant == "qk";
}

Edge infer_attention(const NodeView& view) {
  expect_attrs(view, {"heads"});
  expect_roles(view, {});
  expect_inputs(view, 3);
  const Edge& q = expect_tokens(view, 0, "q");
  expect_alike(view, 1, "k", q);
  expect_alike(view, 2, "v", q);
  return sum_edge(q.shape, 0, q.pixels() * counted_channels(view, q));
}

Edge infer_map_scores(const NodeView& view) {
  expect_attrs(view, {"variant", "heads"});
  expect_roles(view, {});
  expect_inputs(view, 2);
  const Edge& x = expect_tokens(view, 0, "x");
  expect_alike(view, 1, "y", x);
  const MapShape map = map_shape(view, x);
  return sum_edge(map.shape, 0, map.most);
}

Edge infer_map_product(const NodeView& view) {
  expect_attrs(view, {"variant", "heads"});
  expect_roles(view, {});
  expect_inputs(view, 2);
  const Edge& map = expect_tokens(view, 0, "map", "[heads, a, b]");
  const Edge& x = expect_tokens(view, 1, "x");
  const Shape expected = map_shape(view, x).shape;
  if (map.shape != expected) {
    view.fail("map must have the shape " + shape_string(expected) + ", has " + shape_string(map.shape));
  }
  return sum_edge(x.shape, 0, expected.back());
}

Edge infer_count(const NodeView& view) {
  expect_attrs(view, {"over", "heads"});
  expect_roles(view, {});
  if (view.inputs.size() != 1) expect_inputs(view, 2);
  const Edge& x = expect_tokens(view, 0, "x");
  if (view.inputs.size() == 2) expect_alike(view, 1, "y", x);
  const std::string& over = view.text("over");
  const int64_t dim = head_channels(view, x), heads = x.channels() / dim;
  if (over == "channels") return sum_edge({x.shape[0], x.shape[1], heads}, 0, dim);
  if (over == "all") return sum_edge({1, 1, heads}, 0, x.pixels() * dim);
  if (over != "tokens") view.fail("attribute 'over' must be channels, tokens or all, is '" + over + "'");
  if (heads != 1) view.fail("attribute 'heads' must be 1 over tokens, is " + std::to_string(heads));
  return sum_edge({1, 1, x.channels()}, 0, x.pixels());
}

Edge infer_mask(const NodeView& view) {
  expect_attrs(view, {});
  expect_roles(view, {});
  expect_inputs(view, 2);
  const Edge& x = expect_tokens(view, 0, "x");
  const Edge& mask = expect_tokens(view, 1, "mask");
  const bool each_token =
      mask.shape[0] == x.shape[0] && mask.shape[1] == x.shape[1] && x.channels() % mask.channels() == 0;
  if (!each_token && mask.shape != Shape{1, 1, x.channels()}) {
    view.fail("mask must be [" + std::to_string(x.shape[0]) + ", " + std::to_string(x.shape[1]) +
              ", G] with a G that divides " + std::to_string(x.channels()) + ", or " +
              shape_string({1, 1, x.channels()}) + ", is " + shape_string(mask.shape));
  }
  return spike_edge(x.shape);
}

}  // namespace snncore::ops
