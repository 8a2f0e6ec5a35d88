#include "format/snn.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/align.h"
#include "container_parts.h"
#include "sample_graphs.h"

namespace snncore {
namespace {

namespace fs = std::filesystem;
using graph::Graph;

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// A folder of our own that goes away.
struct Folder {
  fs::path path =
      fs::temp_directory_path() / ("snncore_test_" + std::to_string(reinterpret_cast<uintptr_t>(this)));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
  [[nodiscard]] std::string file(const char* name) const { return (path / name).string(); }
};

void expect_equal(const tensor::Tensor& a, const tensor::Tensor& b) {
  CHECK(a.dtype == b.dtype);
  CHECK(a.shape == b.shape);
  CHECK(a.encoding == b.encoding);
  CHECK(a.bits == b.bits);
  CHECK(a.logical == b.logical);
  REQUIRE(a.bytes == b.bytes);
  CHECK(std::memcmp(a.data, b.data, a.bytes) == 0);
}

void expect_equal(const Graph& a, const Graph& b) {
  REQUIRE(a.nodes.size() == b.nodes.size());
  for (size_t i = 0; i < a.nodes.size(); ++i) {
    CHECK(a.nodes[i].name == b.nodes[i].name);
    CHECK(a.nodes[i].op == b.nodes[i].op);
    CHECK(a.nodes[i].inputs == b.nodes[i].inputs);
    CHECK(a.nodes[i].outputs == b.nodes[i].outputs);
    CHECK(a.nodes[i].attrs == b.nodes[i].attrs);
    CHECK(a.nodes[i].tensors == b.nodes[i].tensors);
  }
  CHECK(a.edges == b.edges);
  CHECK(a.timesteps == b.timesteps);
  CHECK(a.labels == b.labels);
  CHECK(a.has_preprocess == b.has_preprocess);
  CHECK(a.preprocess.height == b.preprocess.height);
  CHECK(a.provenance == b.provenance);
  CHECK(a.inputs[0].layout == b.inputs[0].layout);
  REQUIRE(a.tensors.size() == b.tensors.size());
  for (const auto& [name, t] : a.tensors) expect_equal(t, b.tensors.at(name));
}

std::vector<Graph> samples() {
  return {sample::image_net(), sample::exact_net(), sample::float_net(), sample::wide_net()};
}

TEST_CASE("a graph survives a file of each format, and equal graphs give equal bytes") {
  for (const Graph& g : samples()) {
    size_t older = SIZE_MAX;
    for (int format = 1; format <= kFormatVersion; ++format) {
      CAPTURE(format);
      const std::string bytes = format::write_bytes(g, format);
      const format::Loaded loaded = format::read_bytes(test::bytes_of(bytes), nullptr);
      CHECK(loaded.file_bytes == bytes.size());
      CHECK(loaded.file_format == format);
      expect_equal(loaded.graph, g);
      CHECK(format::write_bytes(loaded.graph, format) == bytes);
      CHECK(bytes.size() < older);
      older = bytes.size();
    }
  }
  for (const int format : {0, kFormatVersion + 1}) {
    CHECK_THROWS_WITH_AS(format::write_bytes(sample::exact_net(), format),
                         doctest::Contains("format must be in 1..2"), Error);
  }
}

TEST_CASE("large tensors start on 64 bytes, small ones on their elements, and unused ones stay out") {
  Graph g = sample::wide_net();
  g.tensors["unused"] = sample::all_i32(3, 1);
  const test::Parts parts = test::split(format::write_bytes(g));
  CHECK(parts.data_start % 64 == 0);
  CHECK(!parts.header.contains("unused"));
  const std::map<std::string, size_t> sizes = {{"I8", 1},  {"U8", 1},  {"I16", 2}, {"I32", 4},
                                               {"F32", 4}, {"U64", 8}, {"F64", 8}};
  size_t large = 0;
  for (const auto& [name, entry] : parts.header.items()) {
    if (name == "__metadata__" || name.starts_with("pad.")) continue;
    CAPTURE(name);
    const auto begin = entry["data_offsets"][0].get<size_t>(), end = entry["data_offsets"][1].get<size_t>();
    CHECK(begin % (end - begin >= 4096 ? 64 : sizes.at(entry["dtype"])) == 0);
    large += end - begin >= 4096 ? 1 : 0;
  }
  CHECK(large == 3);
}

TEST_CASE("what follows from the rest is left out") {
  const test::Parts parts = test::split(format::write_bytes(sample::wide_net()));
  const auto dtype = [&](const char* name) { return parts.header.at(name)["dtype"].get<std::string>(); };
  CHECK(dtype("fc1.requant.M.0") == "I16");
  CHECK(dtype("fc1.requant.n") == "I8");
  CHECK(dtype("fc1.requant.C") == "I32");
  CHECK(dtype("fc1.scale") == "F64");
  CHECK(dtype("fc2.scale") == "F32");
  for (const char* name : {"fc1.lif.theta", "fc2.requant.C", "fc2.requant.n", "fc3.scale", "logits.bias"}) {
    CAPTURE(name);
    CHECK(!parts.header.contains(name));
  }
  const nlohmann::json& nodes = parts.document["graph"]["nodes"];
  CHECK(nodes[0] == nlohmann::json({{"name", "fc1"}, {"op", "linear"}, {"inputs", {"spikes"}}}));
  CHECK(nodes[2]["tensors"] == nlohmann::json({{"theta", 4096}}));
  CHECK(nodes[2]["attrs"].is_object());
  CHECK(nodes[4]["tensors"] == nlohmann::json({{"C", 1 << 20}, {"n", 9}}));
  CHECK(nodes[5]["attrs"] == "fc1.lif");
  CHECK(nodes[7]["tensors"].dump() == R"({"bias":0.0})");
  CHECK(parts.document["graph"]["edges"].size() == 1);
}

TEST_CASE("tensors of other names, and of several nodes, are named") {
  Graph g = sample::wide_net();
  g.tensors["shift"] = g.tensors.at("fc1.requant.n");
  g.tensors.erase("fc1.requant.n");
  graph::find_node(g, "fc1.requant").tensors["n"] = "shift";
  g.tensors.erase("fc2.requant.M.0");
  graph::find_node(g, "fc2.requant").tensors["M.0"] = "fc1.requant.M.0";
  g.tensors.erase("fc2.lif.theta");
  graph::find_node(g, "fc2.lif").tensors["theta"] = "fc1.lif.theta";
  const std::string bytes = format::write_bytes(g);
  expect_equal(format::read_bytes(test::bytes_of(bytes), nullptr).graph, g);
}

TEST_CASE("one stored value serves all channels") {
  test::Parts parts = test::split(format::write_bytes(sample::wide_net()));
  test::append(parts, "fc1.lif.theta", "I16", {1}, std::string("\x00\x10", 2));  // 4096
  parts.document["graph"]["nodes"][2].erase("tensors");
  const std::string bytes = test::join(parts);
  expect_equal(format::read_bytes(test::bytes_of(bytes), nullptr).graph, sample::wide_net());
}

TEST_CASE("mapped files are used in place; unaligned bytes are copied") {
  const Folder folder;
  const Graph g = sample::wide_net();
  format::write_file(g, folder.file("net.snn"));
  const format::Loaded mapped = format::read_file(folder.file("net.snn"));
  expect_equal(mapped.graph, g);
  CHECK(mapped.graph.tensors.at("fc1.weight").owner == mapped.graph.tensors.at("fc2.weight").owner);

  const std::string bytes = format::write_bytes(g);
  const AlignedBuffer buffer(bytes.size() + 1);
  std::memcpy(buffer.data() + 1, bytes.data(), bytes.size());
  const format::Loaded shifted = format::read_bytes({buffer.data() + 1, bytes.size()}, nullptr);
  expect_equal(shifted.graph, g);
  for (const auto& [name, t] : shifted.graph.tensors) {
    CHECK(reinterpret_cast<uintptr_t>(t.data) % 64 == 0);
    CHECK(t.owner != nullptr);
  }
}

TEST_CASE("tensors outlive the Loaded that mapped them") {
  const Folder folder;
  format::write_file(sample::image_net(), folder.file("net.snn"));
  tensor::Tensor kept = format::read_file(folder.file("net.snn")).graph.tensors.at("body.weight");
  fs::remove(folder.file("net.snn"));
  expect_equal(kept, sample::image_net().tensors.at("body.weight"));
}

TEST_CASE("writing replaces a file whole and leaves nothing behind") {
  const Folder folder;
  format::write_file(sample::float_net(), folder.file("net.snn"));
  format::write_file(sample::exact_net(), folder.file("net.snn"));
  CHECK(slurp(folder.file("net.snn")) == format::write_bytes(sample::exact_net()));
  CHECK(std::distance(fs::directory_iterator(folder.path), fs::directory_iterator()) == 1);

  fs::create_directory(folder.file("taken"));
  CHECK_THROWS_AS(format::write_file(sample::exact_net(), folder.file("taken")), Error);
  CHECK_THROWS_AS(format::write_file(sample::exact_net(), folder.file("none/net.snn")), Error);
  CHECK(std::distance(fs::directory_iterator(folder.path), fs::directory_iterator()) == 2);
}

TEST_CASE("what the operating system refuses is kIo with the path") {
  const Folder folder;
  const auto code = [&](const std::string& path) {
    try {
      (void)format::read_file(path);
    } catch (const Error& error) {
      CHECK(std::string(error.what()).starts_with(path + ": "));
      return error.code();
    }
    return ErrorCode::kState;
  };
  CHECK(code(folder.file("missing.snn")) == ErrorCode::kIo);
  CHECK(code(folder.path.string()) == ErrorCode::kIo);
  CHECK(code("/dev/null") == ErrorCode::kIo);
  std::ofstream(folder.file("empty.snn")).close();
  CHECK(code(folder.file("empty.snn")) == ErrorCode::kFormat);
  std::ofstream(folder.file("text.snn")) << "Dear reader, this is a letter and not a network.\n";
  CHECK(code(folder.file("text.snn")) == ErrorCode::kFormat);
}

TEST_CASE("an invalid graph is not written") {
  Graph g = sample::image_net();
  g.timesteps = 0;
  CHECK_THROWS_AS(format::write_bytes(g), Error);
  g = sample::image_net();
  g.nodes[0].name = "stem\xff";
  CHECK_THROWS_WITH_AS(format::write_bytes(g), doctest::Contains("not UTF-8"), Error);
}

TEST_CASE("numbers: integers where a number may stand, doubles to the last bit") {
  Graph g = sample::image_net();
  g.nodes[2].attrs["threshold"] = 0.1 + 0.2;
  g.nodes[2].attrs["input_gain"] = int64_t{1};
  g.edges["image"].scale = 1.0 / 3.0;
  const format::Loaded loaded = format::read_bytes(test::bytes_of(format::write_bytes(g)), nullptr);
  CHECK(std::get<double>(loaded.graph.nodes[2].attrs.at("threshold")) == 0.1 + 0.2);
  CHECK(std::get<int64_t>(loaded.graph.nodes[2].attrs.at("input_gain")) == 1);
  CHECK(loaded.graph.edges.at("image").scale == 1.0 / 3.0);
}

TEST_CASE("labels, preprocessing and foreign metadata may be absent or there") {
  test::Parts parts = test::split(format::write_bytes(sample::image_net(), 1));
  parts.document.erase("labels");
  parts.document["preprocess"] = nullptr;
  parts.header["__metadata__"]["format"] = "pt";
  const std::string bytes = test::join(parts);
  const format::Loaded loaded = format::read_bytes(test::bytes_of(bytes), nullptr);
  CHECK(loaded.graph.labels.empty());
  CHECK(!loaded.graph.has_preprocess);
}

/// Not a check: gives hostile/make.py and other readers of safetensors something to open.
TEST_CASE("samples for other programs") {
  const char* folder = std::getenv("SNNCORE_WRITE_SAMPLES");
  if (folder == nullptr) return;
  const std::vector<Graph> graphs = samples();
  const char* names[] = {"image_net", "exact_net", "float_net", "wide_net"};
  for (size_t i = 0; i < graphs.size(); ++i) {
    for (const int format : {1, 2}) {
      const fs::path path = fs::path(folder) / (names[i] + ("." + std::to_string(format)) + ".snn");
      std::ofstream(path, std::ios::binary) << format::write_bytes(graphs[i], format);
    }
  }
}

TEST_CASE("a file that the safetensors package wrote is read, unaligned as it is") {
  const format::Loaded loaded = format::read_file(SNNCORE_TEST_DIR "/hostile/valid_by_safetensors.snn");
  expect_equal(loaded.graph, sample::image_net());
}

}  // namespace
}  // namespace snncore
