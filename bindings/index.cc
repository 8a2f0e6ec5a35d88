#include <snncore/lsh.h>

#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>

#include <snncore/error.h>

#include "bindings.h"

namespace snncore::bindings {
namespace {

using Rows = Array<float, nb::ndim<2>>;
using Ids = Vector<uint64_t>;

// Of another width, rows would be read as more or fewer of the right one.
std::span<const float> rows_of(const Index& index, const Rows& rows) {
  if (static_cast<int64_t>(rows.shape(1)) != index.options().dim) {
    throw Error(ErrorCode::kShape, "Index: expected vectors of shape [n, " +
                                       std::to_string(index.options().dim) + "], received " +
                                       shape_string(shape_of(rows)));
  }
  return span_of(rows);
}

IndexFilter filter_of(const std::optional<Ids>& ids, const std::optional<Ids>& slots) {
  if (ids) return {IndexFilter::Kind::kIds, span_of(*ids)};
  if (slots) return {IndexFilter::Kind::kSlots, span_of(*slots)};
  return {};
}

void fit(Index& index, const Rows& rows) {
  const auto values = rows_of(index, rows);
  const nb::gil_scoped_release nogil;
  index.fit(values);
}

void fit_with(Index& index, const Rows& rows, const Encoder& encoder) {
  const auto values = rows_of(index, rows);
  const nb::gil_scoped_release nogil;
  index.fit(values, encoder);
}

NumpyArray<float> embed(const Index& index, const Rows& rows) {
  const auto values = rows_of(index, rows);
  std::vector<float> embedded;
  {
    const nb::gil_scoped_release nogil;
    embedded = index.embed(values);
  }
  const auto count = static_cast<int64_t>(rows.shape(0));
  const int64_t dim = count == 0 ? index.options().dim : static_cast<int64_t>(embedded.size()) / count;
  return copy_array<float>({count, dim}, embedded.data());
}

void add(Index& index, const Ids& ids, const Rows& rows, int threads) {
  const auto values = rows_of(index, rows);
  const nb::gil_scoped_release nogil;
  index.add(span_of(ids), values, threads);
}

void upsert(Index& index, const Ids& ids, const Rows& rows, int threads) {
  const auto values = rows_of(index, rows);
  const nb::gil_scoped_release nogil;
  index.upsert(span_of(ids), values, threads);
}

int64_t remove(Index& index, const Ids& ids) {
  const nb::gil_scoped_release nogil;
  return index.remove(span_of(ids));
}

NumpyArray<float> get(const Index& index, const Ids& ids) {
  return make_array<float>({static_cast<int64_t>(ids.size()), index.options().dim},
                           [&](float* out, size_t count) {
                             index.get(span_of(ids), {out, count});
                           });
}

NumpyArray<uint64_t> encode(const Index& index, const Rows& rows) {
  const auto values = rows_of(index, rows);
  const Shape shape = {static_cast<int64_t>(rows.shape(0)), index.options().bits / 64};
  return make_array<uint64_t>(shape, [&](uint64_t* out, size_t count) {
    const nb::gil_scoped_release nogil;
    index.encode(values, {out, count});
  });
}

std::pair<NumpyArray<int64_t>, NumpyArray<float>> search(const Index& index, const Rows& queries, int64_t k,
                                                         int64_t probes, int64_t rerank, bool asymmetric,
                                                         Plan plan, const std::optional<Ids>& ids,
                                                         const std::optional<Ids>& slots, int threads,
                                                         int64_t max_candidates, float min_score) {
  const auto values = rows_of(index, queries);
  const SearchOptions options{k,       probes,         rerank,   asymmetric, plan, filter_of(ids, slots),
                              threads, max_candidates, min_score};
  const int64_t columns = k >= 1 && k <= INT32_MAX ? k : 0;  // another k is refused by the search
  const Shape shape = {static_cast<int64_t>(queries.shape(0)), columns};
  std::span<int64_t> found;
  std::span<float> distances;
  auto id_array = make_array<int64_t>(shape, [&](int64_t* out, size_t count) { found = {out, count}; });
  auto distance_array = make_array<float>(shape, [&](float* out, size_t count) { distances = {out, count}; });
  {
    const nb::gil_scoped_release nogil;
    index.search(values, options, found, distances);
  }
  return {std::move(id_array), std::move(distance_array)};
}

std::tuple<NumpyArray<int64_t>, NumpyArray<int64_t>, NumpyArray<int32_t>> range_search(
    const Index& index, const Rows& queries, int64_t radius, Plan plan, const std::optional<Ids>& ids,
    const std::optional<Ids>& slots, int threads) {
  const auto values = rows_of(index, queries);
  IndexRange found;
  {
    const nb::gil_scoped_release nogil;
    found = index.range_search(values, radius, filter_of(ids, slots), plan, threads);
  }
  const Shape all = {static_cast<int64_t>(found.ids.size())};
  return {copy_array<int64_t>({static_cast<int64_t>(found.first.size())}, found.first.data()),
          copy_array<int64_t>(all, found.ids.data()), copy_array<int32_t>(all, found.distances.data())};
}

Index* create(int64_t dim, int64_t bits, Metric metric, std::string encoder, uint64_t seed, int64_t tables,
              int64_t key_bits, Store store, bool bytes_first) {
  return new Index({dim, bits, metric, std::move(encoder), seed, tables, key_bits, store, bytes_first});
}

void bind_choices(nb::module_& m) {
  nb::enum_<Metric>(m, "Metric")
      .value("l2", Metric::kL2)
      .value("cosine", Metric::kCosine)
      .value("ip", Metric::kInnerProduct);
  nb::enum_<Plan>(m, "Plan")
      .value("auto", Plan::kAuto)
      .value("scan", Plan::kScan)
      .value("multi_table", Plan::kMultiTable)
      .value("mih", Plan::kMih);
  nb::enum_<Store>(m, "Store")
      .value("none", Store::kNone)
      .value("f32", Store::kF32)
      .value("f16", Store::kF16)
      .value("i8", Store::kI8);
  nb::class_<IndexOptions>(m, "IndexOptions")
      .def_ro("dim", &IndexOptions::dim)
      .def_ro("bits", &IndexOptions::bits)
      .def_ro("metric", &IndexOptions::metric)
      .def_ro("encoder", &IndexOptions::encoder)
      .def_ro("seed", &IndexOptions::seed)
      .def_ro("tables", &IndexOptions::tables)
      .def_ro("key_bits", &IndexOptions::key_bits)
      .def_ro("store", &IndexOptions::store)
      .def_ro("bytes_first", &IndexOptions::bytes_first);
  nb::class_<IndexStats>(m, "IndexStats")
      .def_ro("vectors", &IndexStats::vectors)
      .def_ro("removed", &IndexStats::removed)
      .def_ro("segments", &IndexStats::segments)
      .def_ro("bytes", &IndexStats::bytes)
      .def_ro("queries", &IndexStats::queries)
      .def_ro("candidates", &IndexStats::candidates)
      .def_ro("buckets", &IndexStats::buckets);
}

}  // namespace

void bind_index(nb::module_& m) {
  bind_choices(m);
  nb::class_<Index>(m, "Index", "Vectors to search by their codes; whatever changes it needs it alone.")
      .def(nb::new_(&create), nb::arg("dim"), nb::arg("bits"), nb::arg("metric"), nb::arg("encoder"),
           nb::arg("seed"), nb::arg("tables"), nb::arg("key_bits"), nb::arg("store"), nb::arg("bytes_first"))
      .def_static(
          "open",
          [](const std::string& path, bool mmap, bool verify) {
            const nb::gil_scoped_release nogil;
            return Index::open(path, mmap, verify);
          },
          nb::arg("path"), nb::arg("mmap"), nb::arg("verify"))
      .def(
          "save",
          [](const Index& index, const std::string& path) {
            const nb::gil_scoped_release nogil;
            index.save(path);
          },
          nb::arg("path"))
      .def_prop_ro("options", &Index::options, nb::rv_policy::copy)
      .def_prop_ro("fitted", &Index::fitted)
      .def_prop_ro("slots", &Index::slots)
      .def("__len__", &Index::size)
      .def("ids",
           [](const Index& index) {
             const std::vector<uint64_t> ids = index.ids();
             return copy_array<uint64_t>({static_cast<int64_t>(ids.size())}, ids.data());
           })
      .def("fit", &fit, nb::arg("rows"))
      .def("fit_with", &fit_with, nb::arg("rows"), nb::arg("encoder"))
      .def("embed", &embed, nb::arg("rows"))
      .def("add", &add, nb::arg("ids"), nb::arg("rows"), nb::arg("threads"))
      .def("upsert", &upsert, nb::arg("ids"), nb::arg("rows"), nb::arg("threads"))
      .def("remove", &remove, nb::arg("ids"))
      .def("compact", &Index::compact, nb::call_guard<nb::gil_scoped_release>())
      .def("contains", &Index::contains, nb::arg("id"))
      .def("get", &get, nb::arg("ids"))
      .def("encode", &encode, nb::arg("rows"))
      .def("search", &search, nb::arg("queries"), nb::arg("k"), nb::arg("probes"), nb::arg("rerank"),
           nb::arg("asymmetric"), nb::arg("plan"), nb::arg("ids").none(), nb::arg("slots").none(),
           nb::arg("threads"), nb::arg("max_candidates"), nb::arg("min_score"))
      .def("range_search", &range_search, nb::arg("queries"), nb::arg("radius"), nb::arg("plan"),
           nb::arg("ids").none(), nb::arg("slots").none(), nb::arg("threads"))
      .def("stats", &Index::stats);
}

}  // namespace snncore::bindings
