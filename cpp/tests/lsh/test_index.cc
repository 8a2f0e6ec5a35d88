// Index against searching one by one.
#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <string>

#include <snncore/error.h>
#include <snncore/lsh.h>

#include "lsh/index_model.h"

namespace snncore::test {
namespace {

constexpr size_t kDim = 24;
constexpr int64_t kAllPlans = 3;

std::vector<uint64_t> counted(size_t count, uint64_t first = 0) {
  std::vector<uint64_t> ids(count);
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

IndexOptions small_options(Metric metric = Metric::kL2, Store store = Store::kF32) {
  return {.dim = kDim,
          .bits = 64,
          .metric = metric,
          .encoder = "srp",
          .tables = 8,
          .key_bits = 8,
          .store = store};
}

struct Filled {
  Index index;
  Listed listed{kDim};
  std::vector<float> rows;
};

// In pieces, so that there are several segments and one that is still open; some removed, some replaced.
Filled filled(Random& random, const IndexOptions& options, size_t count) {
  Filled f{Index(options)};
  f.rows = random_rows(random, count, kDim);
  f.index.fit(f.rows);
  std::vector<uint64_t> ids = counted(count, 1000);
  for (size_t first = 0; first < count;) {
    const size_t some = std::min(random.size(1, count / 2 + 1), count - first);
    f.index.add({ids.data() + first, some}, {f.rows.data() + first * kDim, some * kDim});
    first += some;
  }
  for (size_t i = 0; i < count; ++i) f.listed.add(ids[i], f.rows.data() + i * kDim);
  std::vector<uint64_t> removed, replaced;
  std::vector<float> other;
  for (const uint64_t id : ids) {
    if (random.chance(0.05)) removed.push_back(id);
    if (random.chance(0.03)) replaced.push_back(id);
  }
  f.index.remove(removed);
  for (const uint64_t id : removed) f.listed.remove(id);
  other = random_rows(random, replaced.size(), kDim);
  f.index.upsert(replaced, other);
  for (size_t i = 0; i < replaced.size(); ++i) f.listed.add(replaced[i], other.data() + i * kDim);
  return f;
}

std::string temporary(const char* name) {
  return (std::filesystem::temp_directory_path() / (std::string("snncore-") + name)).string();
}

size_t hits(const Results& found, const Results& truth) {
  size_t count = 0;
  for (size_t i = 0; i < found.ids.size(); i += 10) {
    for (size_t j = i; j < i + 10; ++j) {
      count += found.distances[j] <= truth.distances[i + 9] ? 1 : 0;
    }
  }
  return count;
}

TEST_CASE("with exact distances for all, an index finds what searching one by one finds") {
  Random random(71);
  // Values are whole and below 100: half precision holds them, and sums of their products are exact.
  for (const Metric metric : {Metric::kL2, Metric::kInnerProduct}) {
    for (const Store store : {Store::kF32, Store::kF16}) {
      for (const size_t count : {size_t{1}, size_t{9}, size_t{300}, size_t{9000}}) {
        Filled f = filled(random, small_options(metric, store), count);
        const std::vector<float> queries = random_rows(random, 5, kDim);
        const Results wanted = f.listed.search(metric, queries, 20);
        for (const int threads : {1, 3}) {
          CAPTURE(count);
          CHECK(search(f.index, queries, {.k = 20, .rerank = 10000, .threads = threads}) == wanted);
        }
      }
    }
  }
}

TEST_CASE("distances of cosine, and of vectors on a grid, are near the true ones") {
  Random random(70);
  for (const Metric metric : {Metric::kL2, Metric::kCosine, Metric::kInnerProduct}) {
    for (const Store store : {Store::kF32, Store::kI8}) {
      Filled f = filled(random, small_options(metric, store), 400);
      const std::vector<float> queries = random_rows(random, 5, kDim);
      const Results found = search(f.index, queries, {.k = 20, .rerank = 1000});
      const Results wanted = f.listed.search(metric, queries, 20);
      const float scale = metric == Metric::kL2 ? 100 : metric == Metric::kCosine ? 1 : 60000;
      const float tolerance = scale * (store == Store::kF32 ? 1e-6F : 0.02F);
      for (size_t i = 0; i < found.distances.size(); ++i) {
        CHECK(std::abs(found.distances[i] - wanted.distances[i]) <= tolerance);
      }
    }
  }
}

TEST_CASE("every plan gives k results where k exist, and the same for any number of threads") {
  Random random(72);
  Filled f = filled(random, small_options(), 9000);
  const std::vector<float> queries = random_rows(random, 40, kDim);
  for (int64_t plan = 0; plan <= kAllPlans; ++plan) {
    SearchOptions options{.k = 30, .probes = 1, .plan = static_cast<Plan>(plan)};
    const Results one = search(f.index, queries, options);
    CHECK(std::count(one.ids.begin(), one.ids.end(), -1) == 0);
    for (const int threads : {2, 5}) {
      options.threads = threads;
      CHECK(search(f.index, queries, options) == one);
    }
  }
}

TEST_CASE("mih ranks as scan does, and range_search finds the whole ball") {
  Random random(73);
  Filled f = filled(random, small_options(), 6000);
  const std::vector<float> queries = random_rows(random, 20, kDim);
  for (const int64_t k : {1, 10, 100}) {
    const SearchOptions scan{.k = k, .rerank = 0, .plan = Plan::kScan};
    SearchOptions mih = scan;
    mih.plan = Plan::kMih;
    CHECK(search(f.index, queries, scan) == search(f.index, queries, mih));
  }
  for (int64_t radius = 0; radius <= 12; ++radius) {
    const SearchOptions all{.k = 7000, .rerank = 0, .plan = Plan::kScan};
    const Results sorted = search(f.index, queries, all);
    for (const Plan plan : {Plan::kScan, Plan::kMih, Plan::kAuto}) {
      const IndexRange found = f.index.range_search(queries, radius, {}, plan, 2);
      REQUIRE(found.first.size() == 21);
      for (size_t q = 0; q < 20; ++q) {
        const auto at = static_cast<size_t>(found.first[q]), end = static_cast<size_t>(found.first[q + 1]);
        for (size_t i = at; i < end; ++i) {
          CHECK(static_cast<int64_t>(found.ids[i]) == sorted.ids[q * 7000 + i - at]);
          CHECK(static_cast<float>(found.distances[i]) == sorted.distances[q * 7000 + i - at]);
        }
        CHECK(sorted.distances[q * 7000 + end - at] > static_cast<float>(radius));
      }
    }
  }
}

TEST_CASE("filters at any rate give what searching the allowed gives") {
  Random random(74);
  Filled f = filled(random, small_options(), 5000);
  const std::vector<float> queries = random_rows(random, 4, kDim);
  const std::vector<uint64_t> slots = f.index.ids();
  for (const double rate : {0.0, 0.001, 0.03, 0.3, 1.0}) {
    std::vector<uint64_t> allowed, bits((slots.size() + 63) / 64);
    for (uint64_t id = 900; id < 6100; ++id) {
      if (random.chance(rate)) allowed.push_back(id);
    }
    const auto passes = [&](uint64_t id) { return std::binary_search(allowed.begin(), allowed.end(), id); };
    for (size_t slot = 0; slot < slots.size(); ++slot) {
      if (passes(slots[slot])) set_bit(bits.data(), slot);
    }
    const Results wanted = f.listed.search(Metric::kL2, queries, 15, passes);
    for (const Plan plan : {Plan::kAuto, Plan::kScan, Plan::kMultiTable, Plan::kMih}) {
      CAPTURE(rate);
      SearchOptions options{.k = 15, .probes = 256, .rerank = 10000, .plan = plan};
      options.filter = {IndexFilter::Kind::kIds, allowed};
      CHECK(search(f.index, queries, options) == wanted);
      options.filter = {IndexFilter::Kind::kSlots, bits};
      CHECK(search(f.index, queries, options) == wanted);
      options.probes = 1;
      options.rerank = 15;
      const Results few = search(f.index, queries, options);
      CHECK(std::count(few.ids.begin(), few.ids.end(), -1) ==
            std::count(wanted.ids.begin(), wanted.ids.end(), -1));
    }
  }
}

TEST_CASE("more probes and more exact distances never find less") {
  Random random(75);
  Filled f = filled(random, small_options(), 8000);
  const std::vector<float> queries = random_rows(random, 30, kDim);
  const Results truth = f.listed.search(Metric::kL2, queries, 10);
  size_t before = 0;
  for (const int64_t probes : {1, 2, 4, 16, 64, 256}) {
    const SearchOptions options{.k = 10, .probes = probes, .rerank = 10000, .plan = Plan::kMultiTable};
    const size_t now = hits(search(f.index, queries, options), truth);
    CHECK(now >= before);
    before = now;
  }
  CHECK(before == 300);
  before = 0;
  for (const int64_t rerank : {10, 20, 100, 1000, 10000}) {
    const SearchOptions options{.k = 10, .rerank = rerank, .plan = Plan::kScan};
    const size_t now = hits(search(f.index, queries, options), truth);
    CHECK(now >= before);
    before = now;
  }
  CHECK(before == 300);
}

TEST_CASE("a search that stops later has seen all that one which stops earlier has") {
  Random random(83);
  IndexOptions o = small_options();
  o.bits = 128;
  o.key_bits = 12;
  Filled f = filled(random, o, 12000);
  const std::vector<float> queries = random_rows(random, 30, kDim);
  // With every candidate among the results, these are what was seen.
  SearchOptions all{.k = 12000, .probes = 40, .rerank = 0, .plan = Plan::kMultiTable};
  const auto seen_with = [&](const SearchOptions& options) {
    const int64_t before = f.index.stats().candidates;
    for (size_t q = 0; q < 30; ++q) {
      SearchOptions one = options;
      one.k = 1;
      const std::vector<float> query(queries.begin() + static_cast<std::ptrdiff_t>(q * kDim),
                                     queries.begin() + static_cast<std::ptrdiff_t>((q + 1) * kDim));
      (void)search(f.index, query, one);
    }
    return f.index.stats().candidates - before;
  };
  const auto hits_with = [&](SearchOptions options) {
    options.k = 10;
    options.rerank = 12000;
    return hits(search(f.index, queries, options), f.listed.search(Metric::kL2, queries, 10));
  };
  const auto rises = [&](const std::vector<SearchOptions>& steps) {
    int64_t seen = 0;
    size_t found = 0;
    for (const SearchOptions& step : steps) {
      const int64_t now = seen_with(step);
      CHECK(now >= seen);
      seen = now;
      const size_t hit = hits_with(step);
      CHECK(hit >= found);
      found = hit;
    }
    CHECK(seen == seen_with(all));
    CHECK(found == hits_with(all));
  };
  std::vector<SearchOptions> steps;
  for (const int64_t most : {0, 1, 50, 500, 5000, 100000, -1}) {
    steps.push_back(all);
    steps.back().max_candidates = most;
  }
  const int64_t none = seen_with(steps[0]), few = seen_with(steps[2]), every = seen_with(all);
  CHECK(none < few);
  CHECK(few < every);
  rises(steps);
  steps.clear();
  for (const float least : {1.0F, 0.99F, 0.9F, 0.7F, 0.3F, 1e-6F, 0.0F}) {
    steps.push_back(all);
    steps.back().min_score = least;
  }
  CHECK(seen_with(steps[1]) < every);
  rises(steps);
}

TEST_CASE("tables of long keys find what tables of short ones would") {
  Random random(84);
  const std::string path = temporary("long.snn");
  for (const int64_t key_bits : {21, 30}) {
    IndexOptions o = small_options();
    o.bits = 256;
    o.key_bits = key_bits;
    Filled f = filled(random, o, 9000);
    f.index.compact();  // a file has no segment that is still open
    const std::vector<float> queries = random_rows(random, 20, kDim);
    const Results truth = f.listed.search(Metric::kL2, queries, 10);
    const SearchOptions scan{.k = 10, .rerank = 0, .plan = Plan::kScan};
    SearchOptions mih = scan;
    mih.plan = Plan::kMih;
    CHECK(search(f.index, queries, mih) == search(f.index, queries, scan));
    const SearchOptions tables{.k = 10, .probes = 3000, .rerank = 9000, .plan = Plan::kMultiTable};
    const Results found = search(f.index, queries, tables);
    CHECK(hits(found, truth) > 100);
    f.index.save(path);
    for (const bool mmap : {true, false}) {
      const Index opened = Index::open(path, mmap, true);
      CHECK(search(opened, queries, tables) == found);
      CHECK(search(opened, queries, mih) == search(f.index, queries, scan));
    }
    CHECK(f.index.stats().bytes.at("tables") < int64_t{9000} * 2 * 8 * 4 * 8);
  }
  std::filesystem::remove(path);
}

TEST_CASE("an index is the same, to the byte, whichever number of threads fills it") {
  Random random(85);
  const auto contents = [](const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string{std::istreambuf_iterator<char>(file), {}};
  };
  const std::string path = temporary("threads.snn");
  for (const int64_t key_bits : {8, 24}) {
    IndexOptions o = small_options(Metric::kCosine, Store::kF16);
    o.bits = 192;
    o.key_bits = key_bits;
    o.bytes_first = true;
    const std::vector<float> rows = random_rows(random, 7000, kDim);
    std::string one;
    for (const int threads : {1, 2, 5}) {
      Index index(o);
      index.fit(rows);
      index.add(counted(5000), {rows.data(), 5000 * kDim}, threads);
      index.upsert(counted(2000, 4500), {rows.data() + 5000 * kDim, 2000 * kDim}, threads);
      index.save(path);
      if (threads == 1) one = contents(path);
      CHECK(contents(path) == one);
    }
  }
  std::filesystem::remove(path);
}

TEST_CASE("few queries are shared by many threads, with the same answers") {
  Random random(86);
  Filled f = filled(random, small_options(), 20000);
  for (const size_t count : {size_t{1}, size_t{2}, size_t{3}}) {
    const std::vector<float> queries = random_rows(random, count, kDim);
    for (const int64_t most : {-1, 700}) {
      SearchOptions options{.k = 25, .probes = 6, .plan = Plan::kMultiTable, .max_candidates = most};
      const IndexStats before = f.index.stats();
      const Results one = search(f.index, queries, options);
      const IndexStats between = f.index.stats();
      options.threads = 8;
      CHECK(search(f.index, queries, options) == one);
      const IndexStats after = f.index.stats();
      CHECK(after.candidates - between.candidates == between.candidates - before.candidates);
      CHECK(after.buckets - between.buckets == between.buckets - before.buckets);
    }
    for (const Plan plan : {Plan::kScan, Plan::kMih}) {
      const IndexRange one = f.index.range_search(queries, 9, {}, plan),
                       many = f.index.range_search(queries, 9, {}, plan, 7);
      CHECK(one.first == many.first);
      CHECK(one.ids == many.ids);
      CHECK(one.distances == many.distances);
    }
  }
}

TEST_CASE("bytes and logits choose nearly as exact distances do") {
  Random random(76);
  for (const Metric metric : {Metric::kL2, Metric::kCosine, Metric::kInnerProduct}) {
    IndexOptions o = small_options(metric, Store::kF16);
    o.bytes_first = true;
    Filled f = filled(random, o, 3000);
    const std::vector<float> queries = random_rows(random, 20, kDim);
    const SearchOptions all{.k = 10, .rerank = 4000, .plan = Plan::kScan};
    SearchOptions some{.k = 10, .rerank = 300, .asymmetric = true, .plan = Plan::kScan};
    const Results exact = search(f.index, queries, all);
    CHECK(hits(search(f.index, queries, some), exact) > 190);
    some.rerank = 0;
    const Results coded = search(f.index, queries, some);
    CHECK(std::is_sorted(coded.distances.begin(), coded.distances.begin() + 10));
  }
}

TEST_CASE("what is saved is what is opened, mapped or read") {
  Random random(77);
  const std::string path = temporary("index.snn");
  for (const Store store : {Store::kNone, Store::kF32, Store::kF16, Store::kI8}) {
    IndexOptions o = small_options(Metric::kCosine, store);
    o.bytes_first = store == Store::kF32;
    o.tables = store == Store::kF16 ? 0 : 8;
    Filled f = filled(random, o, 5000);
    const std::vector<float> queries = random_rows(random, 10, kDim);
    const SearchOptions options{.k = 50};
    const Results before = search(f.index, queries, options);
    f.index.save(path);
    for (const bool mmap : {true, false}) {
      Index opened = Index::open(path, mmap, true);
      CHECK(search(opened, queries, options) == before);
      CHECK(opened.size() == f.index.size());
      opened.compact();
      CHECK(search(opened, queries, options) == before);
      const std::vector<uint64_t> gone = {static_cast<uint64_t>(before.ids[0])};
      CHECK(opened.remove(gone) == 1);
      CHECK_FALSE(opened.contains(gone[0]));
      const Results after = search(opened, queries, options);
      CHECK(std::count(after.ids.begin(), after.ids.end(), before.ids[0]) == 0);
      opened.save(path);  // over the file that it maps
      CHECK(search(Index::open(path), queries, options) == after);
      f.index.save(path);
    }
  }
  std::filesystem::remove(path);
}

TEST_CASE("vectors come back as they were stored") {
  Random random(78);
  Filled f = filled(random, small_options(), 700);
  for (const auto& [id, row] : f.listed.items()) {
    const std::vector<uint64_t> one = {id};
    std::vector<float> back(kDim);
    f.index.get(one, back);
    CHECK(back == row);
  }
  CHECK(f.index.size() == static_cast<int64_t>(f.listed.items().size()));
  std::vector<float> none(kDim);
  CHECK_THROWS_AS(f.index.get(std::vector<uint64_t>{5}, none), Error);
}

TEST_CASE("an index without vectors") {
  Index index(small_options());
  const std::vector<float> query(kDim), nothing;
  std::vector<int64_t> ids(2);
  std::vector<float> distances(2);
  CHECK_THROWS_AS(index.search(query, {.k = 2}, ids, distances), Error);
  index.fit(query);
  CHECK_THROWS_AS(index.fit(query), Error);
  index.search(query, {.k = 2}, ids, distances);
  CHECK(ids == std::vector<int64_t>{-1, -1});
  const std::string path = temporary("empty.snn");
  index.add({}, nothing);
  index.save(path);
  CHECK(Index::open(path, true, true).size() == 0);
  index.compact();
  CHECK(index.range_search(query, 3).first == std::vector<int64_t>{0, 0});
  std::filesystem::remove(path);
}

TEST_CASE("wrong arguments are refused in one sentence and change nothing") {
  const auto refused = [](IndexOptions o) { CHECK_THROWS_AS(Index{o}, Error); };
  refused({.dim = 0});
  refused({.dim = 40000});
  refused({.dim = 4, .bits = 65});
  refused({.dim = 4, .bits = 2048});
  refused({.dim = 4, .bits = 64, .tables = 8, .key_bits = 9});
  refused({.dim = 4, .tables = -1});
  refused({.dim = 4, .key_bits = 31});
  refused({.dim = 4, .store = Store::kI8, .bytes_first = true});
  Random random(79);
  Filled f = filled(random, small_options(), 50);
  const int64_t size = f.index.size();
  const std::vector<float> two = random_rows(random, 2, kDim);
  std::vector<float> bad = two;
  bad[kDim + 3] = std::numeric_limits<float>::quiet_NaN();
  const std::vector<uint64_t> fresh = {1, 2}, twice = {1, 1}, there = {1, f.listed.items()[0].first};
  CHECK_THROWS_AS(f.index.add(twice, two), Error);
  CHECK_THROWS_AS(f.index.add(there, two), Error);
  CHECK_THROWS_AS(f.index.add(fresh, bad), Error);
  CHECK_THROWS_AS(f.index.add(fresh, {two.data(), kDim}), Error);
  CHECK_THROWS_AS(f.index.add(fresh, {two.data(), kDim + 1}), Error);
  bad[kDim + 3] = 0x1p56F;
  CHECK_THROWS_AS(f.index.add(fresh, bad), Error);
  CHECK(f.index.size() == size);
  Filled half = filled(random, small_options(Metric::kL2, Store::kF16), 50);
  bad[kDim + 3] = -65520;  // the least that float16 rounds to infinity
  CHECK_THROWS_AS(half.index.add(fresh, bad), Error);
  bad[kDim + 3] = std::nextafter(-65520.0F, 0.0F);
  half.index.add(fresh, bad);
  CHECK(half.index.size() == size + 2);
  std::vector<int64_t> ids(4);
  std::vector<float> distances(4);
  const auto search_refused = [&](SearchOptions o) {
    CHECK_THROWS_AS(f.index.search(two, o, ids, distances), Error);
  };
  search_refused({.k = 0});
  search_refused({.k = 3});
  search_refused({.k = 2, .probes = 0});
  search_refused({.k = 2, .rerank = -2});
  search_refused({.k = 2, .threads = 0});
  search_refused({.k = 2, .max_candidates = -2});
  search_refused({.k = 2, .min_score = 1.5F});
  search_refused({.k = 2, .min_score = std::numeric_limits<float>::quiet_NaN()});
  CHECK_THROWS_AS(f.index.add(fresh, two, 0), Error);
  const std::vector<uint64_t> long_filter(9);
  search_refused({.k = 2, .filter = {IndexFilter::Kind::kSlots, long_filter}});
  CHECK_THROWS_AS(f.index.range_search(two, 65), Error);
  CHECK_THROWS_AS(Index::open("/nowhere/index.snn"), Error);
}

}  // namespace
}  // namespace snncore::test
