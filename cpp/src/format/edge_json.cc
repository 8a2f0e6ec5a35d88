#include "format/edge_json.h"

#include <charconv>

namespace snncore::format {
namespace {

using nlohmann::json;
using ops::Edge;
using ops::EdgeType;

/// The divisor d of the unit "1/d", which has one spelling.
int64_t read_divisor(const JsonView& at) {
  const std::string& unit = at.name();
  int64_t divisor = 0;
  if (unit.starts_with("1/")) std::from_chars(unit.data() + 2, unit.data() + unit.size(), divisor);
  if (divisor < 1 || unit != "1/" + std::to_string(divisor)) {
    at.fail("must be 1/d with a positive integer d, is '" + unit + "'");
  }
  return divisor;
}

std::string unit_of(const Edge& edge) {
  switch (edge.type) {
    case EdgeType::kCount:
      return "1/" + std::to_string(edge.divisor);
    case EdgeType::kPixel:
      return "pixel";
    case EdgeType::kSum:
      return "sum";
    case EdgeType::kCurrent:
      return "current";
    case EdgeType::kStream:
      return "stream";
    case EdgeType::kSpike:
    case EdgeType::kReal:
      break;
  }
  return "1";
}

EdgeType type_of(const JsonView& at) {
  const std::string& dtype = at.at("dtype").name();
  const std::string& unit = at.at("unit").name();
  if (dtype == "b1" && unit == "1") return EdgeType::kSpike;
  if (dtype == "f32" && unit == "1") return EdgeType::kReal;
  if (dtype == "u8" && unit == "pixel") return EdgeType::kPixel;
  if (dtype == "i32" && unit == "sum") return EdgeType::kSum;
  if (dtype == "i32" && unit == "current") return EdgeType::kCurrent;
  if (dtype == "i32" && unit == "stream") return EdgeType::kStream;
  if (dtype.starts_with("u") && unit.starts_with("1/")) return EdgeType::kCount;
  at.fail("dtype '" + dtype + "' with unit '" + unit + "' is not a kind of edge");
}

void read_range(const JsonView& at, Edge& edge) {
  const JsonView range = at.at("range");
  if (edge.type == EdgeType::kReal) {
    if (!range.raw().is_null()) range.fail("must be null for f32");
    return;
  }
  const std::vector<int64_t> ends = range.integers();
  if (ends.size() != 2 || ends[0] > ends[1]) range.fail("must be [lo, hi]");
  edge.lo = ends[0];
  edge.hi = ends[1];
}

}  // namespace

Edge read_edge(const JsonView& at) {
  at.expect_keys({"dtype", "shape", "unit", "range", "pack"}, {"zero_point", "scale"});
  Edge edge;
  edge.type = type_of(at);
  edge.shape = at.at("shape").integers();
  if (edge.type == EdgeType::kCount) edge.divisor = read_divisor(at.at("unit"));
  read_range(at, edge);
  if (edge.type == EdgeType::kCount && (edge.lo != 0 || edge.hi < 1)) {
    at.at("range").fail("must be [0, max] for counts");
  }
  if (const std::string dtype = ops::edge_dtype(edge); dtype != at.at("dtype").name()) {
    at.at("dtype").fail("must be " + dtype + ", the smallest that holds the range, is '" +
                        at.at("dtype").name() + "'");
  }
  const json pack = edge.type == EdgeType::kSpike ? json("channel") : json();
  if (at.at("pack").raw() != pack) at.at("pack").fail("must be " + pack.dump());

  const bool has_zero = at.raw().contains("zero_point");
  if (has_zero != at.raw().contains("scale")) at.fail("zero_point and scale belong together");
  if (has_zero) {
    edge.zero_point = at.at("zero_point").integers();
    if (edge.zero_point.empty()) at.at("zero_point").fail("must have one integer per channel");
    edge.scale = at.at("scale").number();
  }
  return edge;
}

json write_edge(const Edge& edge) {
  json object = {{"dtype", ops::edge_dtype(edge)},
                 {"shape", edge.shape},
                 {"unit", unit_of(edge)},
                 {"range", edge.type == EdgeType::kReal ? json() : json({edge.lo, edge.hi})},
                 {"pack", edge.type == EdgeType::kSpike ? json("channel") : json()}};
  if (!edge.zero_point.empty()) {
    object["zero_point"] = edge.zero_point;
    object["scale"] = edge.scale;
  }
  return object;
}

}  // namespace snncore::format
