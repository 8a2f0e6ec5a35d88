// Files of an index that are not what was written: refused, or answered, never a crash.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <snncore/error.h>
#include <snncore/lsh.h>

#include "lsh/index_model.h"

namespace snncore::test {
namespace {

#if defined(SNNCORE_TEST_THIN)
constexpr int kMutations = 300;
#elif defined(__SANITIZE_ADDRESS__)
constexpr int kMutations = 10000;
#else
constexpr int kMutations = 2000;
#endif
constexpr size_t kDim = 6;

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string path_of(const char* name) {
  return (std::filesystem::temp_directory_path() / (std::string("snncore-") + name)).string();
}

Index sample(Random& random, int64_t tables) {
  Index index({.dim = kDim,
               .bits = 64,
               .encoder = "srp",
               .tables = tables,
               .key_bits = 4,
               .store = Store::kF32,
               .bytes_first = true});
  const std::vector<float> rows = random_rows(random, 150, kDim);
  index.fit(rows);
  std::vector<uint64_t> ids(150);
  for (size_t i = 0; i < 150; ++i) ids[i] = 7 * i;
  index.add(ids, rows);
  index.remove(std::vector<uint64_t>{7, 70, 700});
  return index;
}

bool refused(const std::string& path, bool verify) {
  try {
    (void)Index::open(path, true, verify);
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::kFormat);
    CHECK(std::string(error.what()).find('\n') == std::string::npos);
    return true;
  }
  return false;
}

// All that reads a file; only Error may come out.
void use(Index index, Random& random) {
  const std::vector<float> queries = random_rows(random, 2, kDim);
  for (const Plan plan : {Plan::kScan, Plan::kMultiTable, Plan::kMih}) {
    (void)search(index, queries, {.k = 5, .probes = 8, .rerank = 40, .asymmetric = true, .plan = plan});
    (void)index.range_search(queries, 9, {}, plan);
  }
  std::vector<float> row(kDim);
  for (const uint64_t id : index.ids()) {
    if (index.contains(id)) index.get({&id, 1}, row);
  }
  const std::vector<uint64_t> some = {14, 21, 28};
  index.remove(some);
  index.upsert(some, random_rows(random, 3, kDim));
  index.compact();
  (void)search(index, queries, {.k = 5});
}

TEST_CASE("files changed anywhere are refused or used without a crash, and verify sees every change") {
  Random random(91);
  const std::string path = path_of("mutated.snn");
  for (const int64_t tables : {0, 16}) {
    sample(random, tables).save(path);
    const std::string whole = contents(path);
    REQUIRE_FALSE(refused(path, true));
    for (int i = 0; i < kMutations / 2; ++i) {
      std::string bytes = whole;
      const size_t changes = random.size(1, 3);
      // Half of the changes hit the header, which is a small part of the file.
      for (size_t c = 0; c < changes; ++c) {
        const size_t at = random.size(0, random.chance(0.5) ? 3000 : bytes.size() - 1);
        bytes[at] =
            static_cast<char>(random.chance(0.5) ? bytes[at] ^ 1 << random.size(0, 7) : random.in(0, 255));
      }
      write(path, bytes);
      try {
        use(Index::open(path), random);
      } catch (const Error&) {
      }
      const auto data = static_cast<size_t>(8 + *reinterpret_cast<const uint64_t*>(whole.data()));
      if (bytes.substr(0, data) == whole.substr(0, data) && bytes != whole) CHECK(refused(path, true));
    }
  }
  std::filesystem::remove(path);
}

TEST_CASE("files that are too short or too long are refused") {
  Random random(92);
  const std::string path = path_of("cut.snn");
  sample(random, 16).save(path);
  const std::string whole = contents(path);
  for (size_t size = 0; size < whole.size(); size += random.size(1, 400)) {
    write(path, whole.substr(0, size));
    CHECK(refused(path, false));
  }
  write(path, whole + std::string(64, '\0'));
  CHECK(refused(path, false));
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace snncore::test
