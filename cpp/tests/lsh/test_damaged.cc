// Files of an index that are too short or too long.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <snncore/error.h>
#include <snncore/lsh.h>

#include "lsh/index_model.h"

namespace snncore::test {
namespace {

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
