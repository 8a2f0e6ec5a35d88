// Ten thousand files of indexes, each wrong in another way: refused in a sentence, or answered; never a
// crash.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <string>

#include <snncore/error.h>
#include <snncore/lsh.h>

#include "lsh/index_model.h"
#include "lsh/mutations.h"
#include "lsh/read_encoder.h"

namespace snncore::test {
namespace {

#if defined(SNNCORE_TEST_THIN)
constexpr int kFiles = 300;
#else
constexpr int kFiles = 10000;
#endif
constexpr size_t kDim = 6, kVectors = 90;

struct Sample {
  const char* encoder;
  Metric metric;
  Store store;
  int64_t tables, key_bits;
  bool bytes_first;
};

// Each encoder, store and metric, with tables and without.
constexpr Sample kSamples[] = {{"srp", Metric::kL2, Store::kF32, 16, 4, true},
                               {"srp", Metric::kCosine, Store::kNone, 4, 4, false},
                               {"itq", Metric::kL2, Store::kF16, 4, 4, false},
                               {"itq", Metric::kInnerProduct, Store::kI8, 0, 4, false},
                               {"e2lsh", Metric::kL2, Store::kI8, 8, 4, false},
                               {"cross_polytope", Metric::kCosine, Store::kF16, 3, 11, true},
                               {"srp", Metric::kL2, Store::kF32, 3, 21, true},
                               {"mlp", Metric::kL2, Store::kF32, 4, 4, false},
                               {"itq of bytes", Metric::kL2, Store::kF16, 4, 4, false},
                               {"mlp of signs", Metric::kCosine, Store::kI8, 0, 4, false}};

tensor::Tensor random_tensor(Random& random, DType dtype, const Shape& shape) {
  std::byte* to = nullptr;
  tensor::Tensor tensor = tensor::make_tensor(dtype, shape, &to);
  const int most = dtype == DType::kI8 ? 127 : 255;  // -128 is no weight
  for (size_t i = 0; i < tensor.bytes; ++i) to[i] = static_cast<std::byte>(random.in(1, most));
  if (dtype != DType::kF32) return tensor;
  for (size_t i = 0; i < tensor.bytes / 4; ++i) reinterpret_cast<float*>(to)[i] = random.real();
  return tensor;
}

// What is trained elsewhere, with weights of any kind.
Encoder untrained(Random& random, const std::string& name) {
  constexpr int64_t dim = kDim, bits = 64, hidden = 64;
  const bool mlp = name.starts_with("mlp"), signs = name.ends_with("signs"), floats = name == "mlp";
  const DType weights = floats ? DType::kF32 : signs ? DType::kU64 : DType::kI8;
  const auto width = [&](int64_t outputs) { return signs ? outputs / 64 : outputs; };
  std::map<std::string, std::pair<DType, Shape>> shapes = {{"mean", {DType::kF32, {dim}}},
                                                           {"projection", {weights, {dim, width(bits)}}}};
  if (mlp) {
    shapes.insert({{"hidden", {weights, {dim, width(hidden)}}},
                   {"hidden_bias", {DType::kF32, {hidden}}},
                   {"residual", {weights, {hidden, width(bits)}}}});
  }
  if (!floats) {
    shapes.insert({{"input_scale", {DType::kF32, {dim}}},
                   {"projection_scale", {DType::kF32, {bits}}},
                   {"bias", {DType::kF32, {bits}}}});
  }
  if (mlp && !floats) {
    shapes.insert({{"hidden_scale", {DType::kF32, {hidden}}}, {"residual_scale", {DType::kF32, {bits}}}});
  }
  lsh::Tensors tensors;
  for (const auto& [part, what] : shapes) {
    tensors.emplace(part, random_tensor(random, what.first, what.second));
  }
  return Encoder(
      std::shared_ptr<const lsh::Encoder>(lsh::read_encoder(mlp ? "mlp" : "itq", kDim, 64, tensors)));
}

Index filled(Random& random, const Sample& sample) {
  const std::string name = sample.encoder;
  const bool fitted_elsewhere = name == "mlp" || name.find(' ') != std::string::npos;
  Index index({.dim = kDim,
               .bits = 64,
               .metric = sample.metric,
               .encoder = fitted_elsewhere ? name.substr(0, 3) : name,
               .tables = sample.tables,
               .key_bits = sample.key_bits,
               .store = sample.store,
               .bytes_first = sample.bytes_first});
  const std::vector<float> rows = random_rows(random, kVectors, kDim);
  fitted_elsewhere ? index.fit(rows, untrained(random, name)) : index.fit(rows);
  std::vector<uint64_t> ids(kVectors);
  for (size_t i = 0; i < kVectors; ++i) ids[i] = 7 * i;
  index.add(ids, rows);
  index.remove(std::vector<uint64_t>{7, 70, 490});
  return index;
}

void check_sentence(const Error& error) {
  const std::string what = error.what();
  CHECK_FALSE(what.empty());
  CHECK(what.find('\n') == std::string::npos);
}

bool refused(const std::string& path, bool verify) {
  try {
    (void)Index::open(path, true, verify);
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::kFormat);
    check_sentence(error);
    return true;
  }
  return false;
}

template <typename Step>
void tried(Step step) {
  try {
    step();
  } catch (const Error& error) {
    check_sentence(error);
  }
}

// All that reads a file; each step may be refused, and the next one is taken all the same.
void use(Index& index, Random& random) {
  const auto dim = static_cast<size_t>(index.options().dim);
  const std::vector<float> queries = random_rows(random, 2, dim);
  const std::vector<uint64_t> some = {14, 21, 28};
  for (const Plan plan : {Plan::kScan, Plan::kMultiTable, Plan::kMih}) {
    const bool asymmetric = random.chance(0.5);
    tried([&] {
      (void)search(index, queries,
                   {.k = 5, .probes = 8, .rerank = 40, .asymmetric = asymmetric, .plan = plan});
    });
    tried([&] { (void)index.range_search(queries, 9, {}, plan); });
  }
  tried([&] { (void)search(index, queries, {.k = 3, .filter = {IndexFilter::Kind::kIds, some}}); });
  std::vector<float> row(dim);
  tried([&] {
    for (const uint64_t id : index.ids()) {
      if (index.contains(id)) index.get({&id, 1}, row);
    }
  });
  (void)index.stats();
  tried([&] { index.remove(some); });
  tried([&] { index.upsert(some, random_rows(random, some.size(), dim)); });
  tried([&] { index.compact(); });
  tried([&] { (void)search(index, queries, {.k = 5}); });
}

TEST_CASE("files changed in any way are refused in a sentence or used without a crash; verify sees all") {
  Random random(91);
  const std::string name = "snncore-mutated-" + std::to_string(std::random_device{}()) + ".snn";
  const std::string path = (std::filesystem::temp_directory_path() / name).string();
  int opened = 0, seen_by_verify = 0;
  for (const Sample& sample : kSamples) {
    CAPTURE(std::string(sample.encoder));
    filled(random, sample).save(path);
    std::ifstream stored(path, std::ios::binary);
    const Mutations mutations({std::istreambuf_iterator<char>(stored), {}});
    REQUIRE_FALSE(refused(path, true));
    for (int i = 0; i < kFiles / static_cast<int>(std::size(kSamples)) + 1; ++i) {
      const std::string bytes = mutations.draw(random);
      std::ofstream(path, std::ios::binary) << bytes;
      if (mutations.other_data(bytes)) {
        CHECK(refused(path, true));
        ++seen_by_verify;
      }
      try {
        Index index = Index::open(path, random.chance(0.5));
        ++opened;
        use(index, random);
      } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::kFormat);
        check_sentence(error);
      }
    }
  }
  CHECK(opened > kFiles / 20);
  CHECK(seen_by_verify > kFiles / 20);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace snncore::test
