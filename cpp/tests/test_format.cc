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

TEST_CASE("a graph survives a file, and equal graphs give equal bytes") {
  for (const Graph& g : {sample::image_net(), sample::exact_net(), sample::float_net()}) {
    const std::string bytes = format::write_bytes(g);
    const format::Loaded loaded = format::read_bytes(test::bytes_of(bytes), nullptr);
    CHECK(loaded.file_bytes == bytes.size());
    expect_equal(loaded.graph, g);
    CHECK(format::write_bytes(loaded.graph) == bytes);
  }
}

TEST_CASE("tensors start on 64 bytes and unused ones stay out") {
  Graph g = sample::image_net();
  g.tensors["unused"] = sample::all_i32(3, 1);
  const test::Parts parts = test::split(format::write_bytes(g));
  CHECK(parts.data_start % 64 == 0);
  CHECK(!parts.header.contains("unused"));
  for (const auto& [name, entry] : parts.header.items()) {
    if (name == "__metadata__" || name.starts_with("pad.")) continue;
    CAPTURE(name);
    CHECK(entry["data_offsets"][0].get<size_t>() % 64 == 0);
  }
}

TEST_CASE("mapped files are used in place; unaligned bytes are copied") {
  const Folder folder;
  const Graph g = sample::image_net();
  format::write_file(g, folder.file("net.snn"));
  const format::Loaded mapped = format::read_file(folder.file("net.snn"));
  expect_equal(mapped.graph, g);
  CHECK(mapped.graph.tensors.at("body.weight").owner == mapped.graph.tensors.at("stem.weight").owner);

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
  test::Parts parts = test::split(format::write_bytes(sample::image_net()));
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
  format::write_file(sample::image_net(), std::string(folder) + "/image_net.snn");
  format::write_file(sample::exact_net(), std::string(folder) + "/exact_net.snn");
  format::write_file(sample::float_net(), std::string(folder) + "/float_net.snn");
}

TEST_CASE("a file that the safetensors package wrote is read, unaligned as it is") {
  const format::Loaded loaded = format::read_file(SNNCORE_TEST_DIR "/hostile/valid_by_safetensors.snn");
  expect_equal(loaded.graph, sample::image_net());
}

}  // namespace
}  // namespace snncore
