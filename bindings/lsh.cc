#include <snncore/lsh.h>

#include <nanobind/stl/pair.h>

#include "bindings.h"

namespace snncore::bindings {
namespace {

void add(BinaryIndex& index, const BitTensor& codes) {
  const nb::gil_scoped_release nogil;
  index.add(codes);
}

std::pair<NumpyArray<int64_t>, NumpyArray<int32_t>> search(const BinaryIndex& index, const BitTensor& queries,
                                                           int64_t k, int threads) {
  const int64_t columns = k >= 1 && k <= INT32_MAX ? k : 0;  // another k is refused by the search
  const Shape shape = {static_cast<int64_t>(queries.rows()), columns};
  std::span<int64_t> ids;
  std::span<int32_t> distances;
  auto id_array = make_array<int64_t>(shape, [&](int64_t* out, size_t count) { ids = {out, count}; });
  auto distance_array = make_array<int32_t>(shape, [&](int32_t* out, size_t count) {
    distances = {out, count};
  });
  {
    const nb::gil_scoped_release nogil;
    index.search(queries, k, ids, distances, threads);
  }
  return {std::move(id_array), std::move(distance_array)};
}

}  // namespace

void bind_lsh(nb::module_& m) {
  nb::class_<BinaryIndex>(m, "BinaryIndex", "Codes to search by Hamming distance; adding needs it alone.")
      .def(nb::init<int64_t>(), nb::arg("bits"))
      .def_prop_ro("bits", &BinaryIndex::bits)
      .def("__len__", &BinaryIndex::size)
      .def("add", &add, nb::arg("codes"))
      .def("search", &search, nb::arg("queries"), nb::arg("k"), nb::arg("threads"),
           "Ids and distances of the k nearest codes.");
}

}  // namespace snncore::bindings
