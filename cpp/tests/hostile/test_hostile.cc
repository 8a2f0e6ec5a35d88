// Files that must be refused: with Error(kFormat), one sentence, and no undefined behaviour on the way. Made
// here by changing a valid file in one place; a handful that others might keep are stored beside this source.

#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <string>

#include "container_parts.h"
#include "format/snn.h"
#include "sample_graphs.h"

namespace snncore {
namespace {

using nlohmann::json;
using test::Parts;

#if defined(SNNCORE_TEST_THIN)
constexpr size_t kStep = 17;
#else
constexpr size_t kStep = 1;
#endif

/// The message of the refusal, or nothing.
std::optional<std::string> refusal(const std::string& file) {
  try {
    (void)format::read_bytes(test::bytes_of(file), nullptr);
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::kFormat);
    return error.what();
  }
  return std::nullopt;
}

void expect_refused(const std::string& file, const std::string& expected) {
  CAPTURE(expected);
  const std::optional<std::string> message = refusal(file);
  REQUIRE(message.has_value());
  CHECK_MESSAGE(message->find(expected) != std::string::npos, *message);
  CHECK(message->size() < 1000);
}

/// With 64 bytes of padding in front.
std::string padded(const std::string& file) {
  Parts parts = test::split(file);
  for (auto& [name, tensor] : parts.header.items()) {
    if (name == "__metadata__") continue;
    for (json& offset : tensor["data_offsets"]) offset = offset.get<size_t>() + 64;
  }
  parts.header["pad.0"] = {{"dtype", "U8"}, {"shape", {64}}, {"data_offsets", {0, 64}}};
  parts.data.insert(0, 64, '\0');
  return test::join(parts);
}

// Format 1, which leaves nothing out.
const std::string& image_file() {
  static const std::string kFile = padded(format::write_bytes(sample::image_net(), 1));
  return kFile;
}
const std::string& exact_file() {
  static const std::string kFile = format::write_bytes(sample::exact_net(), 1);
  return kFile;
}
// The newest format.
const std::string& short_file() {
  static const std::string kFile = format::write_bytes(sample::image_net());
  return kFile;
}
const std::string& wide_file() {
  static const std::string kFile = format::write_bytes(sample::wide_net());
  return kFile;
}

void refused(const std::function<void(Parts&)>& change, const std::string& expected,
             const std::string& file = image_file()) {
  Parts parts = test::split(file);
  change(parts);
  expect_refused(test::join(parts), expected);
}

/// The document with a value replaced; `path` is a JSON pointer.
void replaced(const std::string& path, const json& value, const std::string& expected,
              const std::string& file = image_file()) {
  refused([&](Parts& p) { p.document[json::json_pointer(path)] = value; }, expected, file);
}
void removed(const std::string& parent, const std::string& key) {
  refused([&](Parts& p) { p.document[json::json_pointer(parent)].erase(key); },
          "key '" + key + "' is missing");
}

json& entry(Parts& p, const std::string& tensor) { return p.header[tensor]; }

std::string nested(size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); }

std::string with(std::string text, const std::string& old, const std::string& now) {
  const size_t at = text.find(old);
  REQUIRE(at != std::string::npos);
  return text.replace(at, old.size(), now);
}

/// Overwrites element i of a stored tensor.
template <typename T>
void poke(Parts& p, const std::string& tensor, size_t i, T value) {
  const auto begin = p.header[tensor]["data_offsets"][0].get<size_t>();
  std::memcpy(p.data.data() + begin + i * sizeof(T), &value, sizeof(T));
}

TEST_CASE("the parts put together again are accepted") {
  CHECK(!refusal(test::join(test::split(image_file()))));
  CHECK(!refusal(test::join(test::split(exact_file()))));
  CHECK(!refusal(test::join(test::split(short_file()))));
}

TEST_CASE("every truncation") {
  for (const std::string& file : {image_file(), short_file()}) {
    for (size_t size = 0; size < file.size(); size += kStep) {
      if (!refusal(file.substr(0, size))) FAIL("accepted " << size << " bytes");
    }
  }
}

void flip_bytes(const std::string& valid, size_t step) {
  const size_t header = test::split(valid).data_start;
  for (size_t i = 0; i < header; i += step) {
    for (const unsigned flip : {0x01U, 0x80U}) {
      std::string file = valid;
      file[i] = static_cast<char>(static_cast<unsigned char>(file[i]) ^ flip);
      (void)refusal(file);  // a changed label may be accepted; nothing may break
    }
  }
}

TEST_CASE("every byte of the header, changed") {
  flip_bytes(exact_file(), kStep);
  flip_bytes(image_file(), 7 * kStep);
  flip_bytes(short_file(), kStep);
}

TEST_CASE("header length") {
  for (const uint64_t length : {uint64_t{0}, uint64_t{1}, uint64_t{2}, uint64_t{1} << 20, uint64_t{1} << 26,
                                uint64_t{1} << 62, ~uint64_t{0}, ~uint64_t{7}}) {
    refused([&](Parts& p) { p.header_length = length; }, "header");
  }
  refused([](Parts& p) { p.header_length = test::header_of(p).size() - 1; }, "not JSON at byte");
  expect_refused("", "not a .snn file: it has 0 bytes");
  expect_refused(std::string(200, '\0'), "not a .snn file");
  std::string huge = image_file();
  huge.resize((size_t{64} << 20) + 4096, ' ');
  const uint64_t length = (uint64_t{64} << 20) + 1;
  std::memcpy(huge.data(), &length, sizeof length);
  expect_refused(huge, "not a .snn file: the header length at offset 0 is 67108865");
}

TEST_CASE("JSON that is not what it seems") {
  refused([](Parts& p) { p.header_text = "{"; }, "header: not JSON at byte");
  refused([](Parts& p) { p.header_text = "[]"; }, "does not start with '{'");
  refused([](Parts& p) { p.header_text = "{} {}"; }, "header: not JSON");
  refused([](Parts& p) { p.header_text = "{}"; }, "the tensors end at offset 64");
  refused([](Parts& p) { p.document_text = ""; }, "snncore: not JSON");
  refused([](Parts& p) { p.document_text = "null"; }, "snncore: must be an object");
  refused([](Parts& p) { p.document_text = nested(33); }, "snncore: more than 32 levels");
  refused([](Parts& p) { p.document_text = nested(1000000); }, "snncore: more than 32 levels");
  refused([](Parts& p) { p.header_text = "{\"a\":" + nested(32) + "}"; }, "header: more than 32 levels");
  refused([](Parts& p) { p.document_text = "[" + std::string(3 << 20, '1').replace(1, 1, ",") + "]"; },
          "snncore:");
  refused(
      [](Parts& p) {
        std::string list = "[0";
        for (int i = 0; i < (1 << 20); ++i) list += ",0";
        p.document_text = list + "]";
      },
      "snncore: more than 1048576 values");
  refused([](Parts& p) { p.document_text = "{\"" + std::string(257, 'k') + "\":0}"; }, "a key has 257 bytes");
  refused([](Parts& p) { p.document_text = "{\"a\\u001b[31m\":0}"; }, "a key holds a control character");
  refused([](Parts& p) { p.header_text = with(test::header_of(p), "dog", "d\xc0\xafg"); },
          "header: not JSON");
  refused(
      [](Parts& p) {
        p.document_text = with(p.document.dump(), "\"kind\":", "\"kind\":\"model\",\"kind\":");
      },
      "snncore: key 'kind' occurs twice");
  refused(
      [](Parts& p) {
        p.header_text = with(test::header_of(p), "\"body.scale\":", "\"body.weight\":{},\"body.weight\":");
      },
      "header: key 'body.weight' occurs twice");
  refused([](Parts& p) { p.document_text = with(p.document.dump(), "\"decay\":0.5", "\"decay\":NaN"); },
          "snncore: not JSON");
  refused([](Parts& p) { p.document_text = with(p.document.dump(), "\"decay\":0.5", "\"decay\":1e999"); },
          "snncore: not JSON");
}

TEST_CASE("the container") {
  refused([](Parts& p) { p.header.erase("__metadata__"), p.header_text = p.header.dump(); },
          "__metadata__.snncore is missing");
  refused([](Parts& p) { p.header["__metadata__"].erase("snncore"); }, "__metadata__.snncore is missing");
  refused([](Parts& p) { p.header["__metadata__"]["other"] = 1; },
          "header.__metadata__.other: must be a string");
  refused([](Parts& p) { p.header_text = R"({"__metadata__":[]})"; },
          "header.__metadata__: must be an object");
  refused([](Parts& p) { p.data += '\0'; }, "the tensors end at offset");
  refused([](Parts& p) { p.data.pop_back(); }, "");
  refused([](Parts& p) { p.header.erase("pad.0"); }, "the one before ends at");
  refused([](Parts& p) { p.header.erase("body.weight"); }, "the one before ends at");
  refused([](Parts& p) { entry(p, "pad.0")["data_offsets"] = entry(p, "body.scale")["data_offsets"]; },
          "header.pad.0.data_offsets: must span");
  refused([](Parts& p) { p.header["twin"] = entry(p, "body.weight"); }, "the one before ends at");
  refused([](Parts& p) { entry(p, "body.weight")["dtype"] = "BF16"; },
          "header.body.weight.dtype: must be I8");
  refused([](Parts& p) { entry(p, "body.weight")["dtype"] = 3; },
          "header.body.weight.dtype: must be a string");
  refused([](Parts& p) { entry(p, "body.weight")["dtype"] = "I64"; },
          "weight of 4 bits must be stored as u64 [11], is i64 [11]");
  refused([](Parts& p) { entry(p, "body.weight")["shape"] = json::array({22}); },
          "data_offsets: must span 176 bytes");
  refused([](Parts& p) { entry(p, "body.weight")["shape"] = json::array({-11}); }, "negative axis");
  refused([](Parts& p) { entry(p, "body.weight")["shape"] = json::array({0}); }, "has no elements");
  refused([](Parts& p) { entry(p, "body.weight")["shape"] = json::array({1.5}); }, "must be an integer");
  refused([](Parts& p) { entry(p, "body.weight")["shape"] = json::array({true}); }, "must be an integer");
  refused([](Parts& p) { entry(p, "body.weight")["shape"] = json::array({UINT64_MAX}); },
          "must be an integer of 64 bits");
  refused(
      [](Parts& p) {
        entry(p, "body.weight")["shape"] = json::array({int64_t{1} << 32, int64_t{1} << 32});
      },
      "overflows 64 bits");
  refused([](Parts& p) { entry(p, "body.weight")["shape"] = json::array({int64_t{1} << 61}); },
          "overflows 64 bits");
  refused([](Parts& p) { entry(p, "body.weight")["shape"] = json(std::vector<int>(9, 1)); }, "has 9 axes");
  refused([](Parts& p) { entry(p, "body.weight")["shape"] = "11"; }, "must be a list");
  refused([](Parts& p) { entry(p, "body.weight")["data_offsets"] = json::array({1}); },
          "must be [begin, end]");
  refused(
      [](Parts& p) {
        entry(p, "body.weight")["data_offsets"] = json::array({-64, 24});
      },
      "must be in 0..");
  refused(
      [](Parts& p) {
        entry(p, "body.weight")["data_offsets"] = json::array({88, 0});
      },
      "must span 88 bytes");
  refused([](Parts& p) { entry(p, "body.weight")["data_offsets"][1] = UINT64_MAX; },
          "must be an integer of 64 bits");
  refused([](Parts& p) { entry(p, "body.weight")["data_offsets"][1] = INT64_MAX; }, "must be in 0..");
  refused([](Parts& p) { entry(p, "body.weight")["extra"] = 1; }, "unknown key 'extra'");
  refused([](Parts& p) { entry(p, "body.weight").erase("shape"); }, "key 'shape' is missing");
  refused([](Parts& p) { p.header["body.weight"] = 7; }, "header.body.weight: must be an object");
  refused([](Parts& p) { p.header[""] = p.header["pad.0"], p.header.erase("pad.0"); }, "a key has 0 bytes");
  refused([](Parts& p) { p.header["more"] = p.header["pad.0"], p.header.erase("pad.0"); },
          "tensor 'more' belongs to no node");
}

TEST_CASE("the document") {
  for (const char* key :
       {"kind", "format", "timesteps", "inputs", "outputs", "provenance", "tensors", "graph"})
    removed("", key);
  for (const char* key : {"name", "edge", "layout"}) removed("/inputs/0", key);
  for (const char* key : {"name", "edge"}) removed("/outputs/0", key);
  for (const char* key : {"size", "crop", "color"}) removed("/preprocess", key);
  for (const char* key : {"shape", "bits", "encoding"}) removed("/tensors/body.weight", key);
  for (const char* key : {"edges", "nodes"}) removed("/graph", key);
  for (const char* key : {"dtype", "shape", "unit", "range", "pack"}) removed("/graph/edges/pool", key);
  for (const char* key : {"name", "op", "version", "inputs", "outputs", "attrs", "tensors"})
    removed("/graph/nodes/3", key);
  for (const char* parent : {"", "/inputs/0", "/outputs/0", "/preprocess", "/tensors/body.weight", "/graph",
                             "/graph/edges/pool", "/graph/nodes/3"}) {
    replaced(std::string(parent) + "/more", 1, "unknown key 'more'");
  }
  replaced("/kind", "overlay", "snncore.kind: must be 'model', is 'overlay'");
  replaced("/format", 3, "this file has format 3");
  replaced("/format", 0, "snncore.format: must be in 1..2");
  replaced("/format", "1", "snncore.format: must be an integer");
  replaced("/timesteps", 0, "snncore.timesteps: must be in 1..4096, is 0");
  replaced("/timesteps", 1000000000, "snncore.timesteps: must be in 1..4096");
  replaced("/timesteps", 2.0, "snncore.timesteps: must be an integer");
  replaced("/timesteps", true, "snncore.timesteps: must be an integer");
  replaced("/inputs", json::object(), "snncore.inputs: must be a list");
  replaced("/inputs", json::array(), "inputs: a network has at least one");
  replaced("/inputs/0/layout", "NHHC", "layout must be a permutation of NCHW");
  replaced("/inputs/0/edge", "nowhere", "edge 'nowhere' does not exist");
  replaced("/outputs/0/edge", "nowhere", "no node writes edge 'nowhere'");
  replaced("/outputs/0/name", std::string(257, 'n'), "has 257 bytes");
  replaced("/labels", json::array({"a", "b"}), "labels: there are 2");
  replaced("/labels", json::array(), "must be null or have at least one");
  replaced("/labels/0", 7, "snncore.labels[0]: must be a string");
  replaced("/preprocess/size", json::array({8}), "must be [height, width]");
  replaced("/preprocess/size/0", 0, "preprocess gives [0, 8, 3]");
  replaced("/provenance/name", 1, "provenance.name: must be a string");
  replaced("/tensors/none", {{"shape", {1}}, {"bits", 8}, {"encoding", "sym"}},
           "snncore.tensors.none: the file holds no such tensor");
  replaced("/tensors/body.weight/bits", 3, "has 3 bits");
  replaced("/tensors/body.weight/bits", 0, "must be in 1..8");
  replaced("/tensors/body.weight/bits", 2, "must be stored as u64 [6], is u64 [11]");
  replaced("/tensors/body.weight/encoding", "even", "must be odd or sym");
  replaced("/tensors/body.weight/shape/0", int64_t{1} << 62, "elements, its shape is");
  replaced("/tensors/body.weight/shape/0", 0, "elements, its shape is");
  replaced("/tensors/stem.lif.theta", {{"shape", {6}}, {"bits", 8}, {"encoding", "sym"}},
           "must be plain numbers, is coded weights");
  refused([](Parts& p) { p.document["tensors"].erase("body.weight"); },
          "weight must have 4 axes, has shape [11]");
}

TEST_CASE("edges") {
  const std::string edge = "/graph/edges/";
  replaced(edge + "image/zero_point/0", 256, "zero_point must be in 0..255");
  replaced(edge + "image/zero_point/0", -1, "zero_point must be in 0..255");
  replaced(edge + "image/zero_point/0", 1.0, "must be an integer");
  replaced(edge + "image/zero_point", json::array(), "must have one integer per channel");
  replaced(edge + "image/scale", 0, "scale must be positive and finite");
  replaced(edge + "image/scale", -0.5, "scale must be positive and finite");
  replaced(edge + "image/scale", 1e200, "scale must be positive and finite");
  replaced(edge + "image/scale", nullptr, "must be a number");
  replaced(edge + "image/range", json::array({0, 254}), "do not belong to u8");
  replaced(edge + "image/shape", json::array({8, 8}), "must be [H, W, C] or [F]");
  replaced(edge + "image/shape/0", 0, "has the shape [0, 8, 3]");
  replaced(edge + "image/shape/0", int64_t{1} << 40, "has the shape");
  replaced(edge + "image/dtype", "u16", "dtype 'u16' with unit 'pixel' is not a kind of edge");
  replaced(edge + "pool/pack", nullptr, "must be \"channel\"");
  replaced(edge + "stem/pack", "channel", "must be null");
  replaced(edge + "pool/range", json::array({0, 2}), "is stated as b1");
  replaced(edge + "pool/range", nullptr, "must be a list");
  replaced(edge + "logits/range", json::array({0, 1}), "must be null for f32");
  replaced(edge + "sum/dtype", "u3", "dtype: must be u2");
  replaced(edge + "sum/dtype", "u02", "dtype: must be u2");
  replaced(edge + "means/unit", "1/04", "must be 1/d");
  replaced(edge + "means/unit", "1/0", "must be 1/d");
  replaced(edge + "means/unit", "1/99999999999999999999", "must be 1/d");
  replaced(edge + "means/unit", "1/5", "must be u4 [2, 2, 6] in 0..8 of unit 1/4");
  replaced(edge + "means/range", json::array({0, -1}), "must be [lo, hi]");
  replaced(edge + "means/range", json::array({0, 0}), "must be [0, max]");
  replaced(edge + "means/range", json::array({0, 9}), "is stated as u4 [2, 2, 6] in 0..9");
  replaced(edge + "stem/range/1", 1, "conv2d 'stem': output edge 'stem' must be i32 sum");
  replaced(edge + "stem.requant/range/0", INT64_MIN, "is stated as");
  replaced(edge + "stem/shape", json::array({8, 8, 7}), "is stated as i32 sum [8, 8, 7]");
  replaced(edge + "stem/unit", "current", "is stated as i32 current");
  replaced(edge + "ghost", json(), "must be an object");
  refused([](Parts& p) { p.document["graph"]["edges"]["ghost"] = p.document["graph"]["edges"]["pool"]; },
          "18 are stated");
  refused([](Parts& p) { p.document["graph"]["edges"]["image"].erase("scale"); },
          "zero_point and scale belong together");
  refused(
      [](Parts& p) {
        p.document["graph"]["edges"]["image"].erase("scale"),
            p.document["graph"]["edges"]["image"].erase("zero_point");
      },
      "3 channels and 0 zero points");
}

TEST_CASE("nodes") {
  const std::string node = "/graph/nodes/";
  replaced("/graph/nodes", json::array(), "graph.nodes: a network has at least one");
  refused([](Parts& p) { std::swap(p.document["graph"]["nodes"][0], p.document["graph"]["nodes"][1]); },
          "no input and no earlier node writes");
  replaced(node + "0/inputs/0", "logits", "reads edge 'logits', which no input and no earlier node writes");
  replaced(node + "4/name", "stem", "node 'stem' occurs twice");
  replaced(node + "4/outputs/0", "stem", "writes edge 'stem', which exists already");
  replaced(node + "4/outputs", json::array({"body", "extra"}), "writes 1 edge, states 2");
  replaced(node + "4/op", "deconv", "unknown operation");
  replaced(node + "4/version", 2, "conv2d 'body': unknown version 2");
  replaced(node + "4/version", 1.0, "must be an integer");
  replaced(node + "4/version", INT64_MAX, "must be in 1..65535");
  replaced(node + "4/attrs/spin", 1, "unknown attribute 'spin'");
  replaced(node + "4/attrs/groups", 1.0, "attribute 'groups' must be an integer");
  replaced(node + "4/attrs/groups", nullptr, "must be a flag, a number");
  replaced(node + "4/attrs/groups", json::array({1, "2"}), "must be an integer");
  replaced(node + "4/attrs/groups", UINT64_MAX, "must be an integer of 64 bits");
  replaced(node + "4/attrs/stride", json::array({1, 1, 1}), "must have 2 integers, has 3");
  replaced(node + "4/attrs/padding/0", 1000000000, "attribute 'padding' must be in 0..65535");
  replaced(node + "4/tensors/gamma", "body.scale", "unknown tensor role 'gamma'");
  replaced(node + "4/tensors/weight", "pad.0", "kept for padding");
  replaced(node + "4/tensors/weight", "stem.scale", "weight must have 4 axes, has shape [1]");
  replaced(node + "4/tensors/scale", "stem.lif.theta", "tensor 'scale' must be f64 [6], is i32 [6]");
  replaced(node + "4/tensors/scale", "nowhere", "tensor 'nowhere' (scale) does not exist");
}

TEST_CASE("format 1 leaves nothing out") {
  replaced("/graph/nodes/4/attrs", "stem", "snncore.graph.nodes[4].attrs: must be an object");
  replaced("/graph/nodes/2/tensors/theta", 64, "snncore.graph.nodes[2].tensors.theta: must be a string");
  refused([](Parts& p) { p.document["graph"]["edges"].erase("pool"); }, "17 edges, 16 are stated");
  refused([](Parts& p) { p.document["graph"]["nodes"][2]["tensors"].erase("theta"); }, "");
  refused([](Parts& p) { entry(p, "stem.lif.theta")["dtype"] = "F32"; },
          "tensor 'theta' must be i32 [6], is f32 [6]");
  refused(
      [](Parts& p) {
        entry(p, "stem.lif.theta")["dtype"] = "I16", entry(p, "stem.lif.theta")["shape"] = {12};
      },
      "tensor 'theta' must be i32 [6], is i16 [12]");
}

TEST_CASE("what a short document stands for") {
  const auto replaced_in = [](const std::string& path, const json& value, const std::string& expected) {
    replaced(path, value, expected, short_file());
  };
  const std::string lif = "/graph/nodes/2/", body = "/graph/nodes/4/";
  for (const char* key : {"name", "op", "inputs"}) {
    refused([&](Parts& p) { p.document["graph"]["nodes"][2].erase(key); },
            "key '" + std::string(key) + "' is missing", short_file());
  }
  replaced_in(lif + "more", 1, "unknown key 'more'");
  replaced_in(lif + "version", nullptr, "version: must be an integer");
  replaced_in(lif + "outputs", json::array(), "writes 1 edge, states 0");
  replaced_in(lif + "attrs", nullptr, "attrs: must be an object");
  replaced_in(lif + "attrs", "body.lif", "attrs: no earlier node is named 'body.lif'");
  replaced_in(lif + "attrs", "stem.lif", "attrs: no earlier node is named 'stem.lif'");
  replaced_in(lif + "attrs", "stem", "unknown attribute 'dilation'");
  replaced_in(lif + "attrs", std::string(257, 'n'), "at most 256 are allowed");
  replaced_in(lif + "tensors/theta", 64.5, "tensors.theta: must be an integer of 64 bits");
  replaced_in(lif + "tensors/theta", int64_t{1} << 31, "tensors.theta: must be in -2147483648..2147483647");
  replaced_in(lif + "tensors/theta", UINT64_MAX, "tensors.theta: must be an integer of 64 bits");
  replaced_in(lif + "tensors/theta", 32768,
              "tensor 'theta' must be in -32767..32767, holds 32768 at element 0");
  replaced_in(lif + "tensors/theta", true, "tensors.theta: must be a string");
  replaced_in(lif + "tensors/psi", 1, "has no use for a tensor 'psi' here");
  replaced_in(lif + "tensors/spin", 1,
              "tensors.spin: is a number, and 'lif' is not known to have such a tensor");
  replaced_in(lif + "op", "elif", "is a number, and 'elif' is not known to have such a tensor");
  replaced_in(lif + "tensors/gamma", 1, "has no use for a tensor 'gamma' here");
  replaced_in(body + "tensors/weight", 1, "is a number, and the file holds a tensor 'body.weight' as well");
  replaced_in(body + "tensors/weight", "stem.weight", "conv2d 'stem': tensor 'weight' is missing");
  replaced("/graph/nodes/0/tensors/bias", 1e39, "tensors.bias: must be a float32",
           format::write_bytes(sample::float_net()));
  replaced_in("/graph/nodes/1/tensors/M.1", 1, "must have one factor for each input");
  replaced_in("/graph/edges/ghost",
              {{"dtype", "f32"}, {"shape", {1}}, {"unit", "1"}, {"range", nullptr}, {"pack", nullptr}},
              "the network has 17 edges, 18 are stated");
  const json pool = test::split(image_file()).document["graph"]["edges"]["pool"];
  refused(
      [&](Parts& p) {
        p.document["graph"]["edges"]["pool"] = pool, p.document["graph"]["edges"]["pool"]["shape"][0] = 5;
      },
      "is stated as b1 [5, 4, 6]", short_file());
  refused([](Parts& p) { p.document["graph"]["edges"].erase("image"); }, "edge 'image' does not exist",
          short_file());
  refused([](Parts& p) { entry(p, "body.scale")["dtype"] = "I32"; },
          "tensor 'scale' must be f64 [6], is i32 [6]", short_file());
  refused([](Parts& p) { p.header["body.scales"] = entry(p, "body.scale"), p.header.erase("body.scale"); },
          "", short_file());
  refused([](Parts& p) { test::append(p, "stem.lif.load", "I8", {1}, "x"); },
          "tensor 'load' must be i32 [255], is i32 [1]", short_file());
  refused([](Parts& p) { test::append(p, "more", "I8", {1}, "x"); }, "tensor 'more' belongs to no node",
          short_file());
  refused([](Parts& p) { test::append(p, "fc1.lif.psi", "F64", {1}, "12345678"); },
          "has no use for a tensor 'psi' here", wide_file());
}

TEST_CASE("attributes that many nodes share") {
  const json node = {
      {"name", "a"}, {"op", "add"}, {"inputs", {"image"}}, {"attrs", {{"list", json::array()}}}};
  refused(
      [&](Parts& p) {
        json& nodes = p.document["graph"]["nodes"] = json::array({node});
        nodes[0]["attrs"]["list"] = json(std::vector<int>(100000, 1));
        for (int i = 0; i < 11; ++i) {
          nodes.push_back({{"name", std::to_string(i)}, {"op", "add"}, {"inputs", {"a"}}, {"attrs", "a"}});
        }
      },
      "nodes[11].attrs: more than 1048576 values of earlier nodes", short_file());
}

TEST_CASE("numbers inside tensors") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  refused([&](Parts& p) { poke(p, "body.scale", 3, nan); },
          "conv2d 'body': tensor 'scale' holds a value that is not finite");
  refused([&](Parts& p) { poke(p, "logits.bias", 0, -std::numeric_limits<double>::infinity()); },
          "readout 'logits': tensor 'bias'");
  refused([](Parts& p) { poke(p, "stem.requant.M.0", 2, int32_t{-5}); },
          "tensor 'M.0' must be in 0..2147483647, holds -5 at element 2");
  refused([](Parts& p) { poke(p, "stem.requant.M.0", 2, int32_t{1} << 30); }, "channel 2 may reach");
  refused([](Parts& p) { poke(p, "stem.requant.n", 0, int32_t{31}); }, "tensor 'n' must be in 0..30");
  refused([](Parts& p) { poke(p, "stem.requant.C", 0, INT32_MIN); }, "past 31 bits");
  refused([](Parts& p) { poke(p, "stem.lif.theta", 0, int32_t{32768}); },
          "tensor 'theta' must be in -32767..32767");
  refused([](Parts& p) { poke(p, "body.lif.psi", 0, int32_t{-1}); }, "tensor 'psi' must be in 0..32767");
  refused([](Parts& p) { poke(p, "stem.weight", 0, int8_t{-128}); }, "which sym leaves out");
  refused([](Parts& p) { poke(p, "short.weight", 0, ~uint64_t{0}); }, "bits set after its last element");
  refused(
      [](Parts& p) {
        for (size_t i = 0; i < 10; ++i) poke(p, "body.weight", i, uint64_t{0x7777777777777777});
      },
      "conv2d 'body': output edge 'body' must be i32 sum [4, 4, 6] in");
  refused([](Parts& p) { poke(p, "hidden.requant.M.0", 0, int32_t{15}); }, "");
  refused([](Parts& p) { poke(p, "fc.requant.M.0", 0, int32_t{16}); }, "", exact_file());
  refused([](Parts& p) { poke(p, "fc.requant.n", 0, int32_t{1}); }, "", exact_file());
  refused([](Parts& p) { poke(p, "fc.lif.theta", 15, int32_t{-32768}); },
          "lif 'fc.lif': tensor 'theta' must be in", exact_file());
}

TEST_CASE("profile X in a file") {
  const std::string lif = "/graph/nodes/2/attrs/";
  replaced(lif + "unit_bits", 2, "tensor 'theta' must be i32 [3, 4], is i32 [4, 4]", exact_file());
  replaced(lif + "unit_bits", 63, "must be in 0..30", exact_file());
  replaced(lif + "leak", "q15", "profile X needs reset zero, leak half_floor", exact_file());
  replaced(lif + "state", "i8", "profile X needs reset zero, leak half_floor", exact_file());
  replaced("/timesteps", 5, "profile X takes 4 steps, timesteps is 5", exact_file());
  refused(
      [](Parts& p) {  // the current is wrong in a way that leaves its range as stated: only channel 3 has
                      // another factor
        poke(p, "fc.requant.C", 3, int32_t{-1});
        p.document["graph"]["nodes"][2]["attrs"]["profile"] = "X";
      },
      "", exact_file());
}

TEST_CASE("stored hostile files") {
  size_t count = 0;
  for (const auto& item : std::filesystem::directory_iterator(SNNCORE_TEST_DIR "/hostile")) {
    if (item.path().extension() != ".snn" || item.path().filename().string().starts_with("valid_")) continue;
    CAPTURE(item.path().filename().string());
    CHECK_THROWS_AS(format::read_file(item.path().string()), Error);
    ++count;
  }
  CHECK(count >= 8);
}

}  // namespace
}  // namespace snncore
