#include "bindings.h"

namespace snncore::bindings {
namespace {

// The shape of q, whichever axis is packed; the engine checks the rest.
Shape result_shape(const HeadTensor& t) {
  Shape shape = t.bits.shape();
  if (t.token_packed && shape.size() >= 2) std::swap(shape[shape.size() - 1], shape[shape.size() - 2]);
  return shape;
}

NumpyArray<int32_t> product(const HeadTensor& q, const HeadTensor& k, const HeadTensor& v,
                            AttentionOrder order, size_t threads) {
  return make_array<int32_t>(result_shape(q), [&](int32_t* out, size_t) {
    const nb::gil_scoped_release nogil;
    attention(q, k, v, order, threads, out);
  });
}

BitTensor map(const HeadTensor& q, const HeadTensor& k, int64_t threshold, size_t threads) {
  const nb::gil_scoped_release nogil;
  return attention_map(q, k, threshold, threads);
}

NumpyArray<int32_t> apply(const BitTensor& bits, const HeadTensor& v, size_t threads) {
  return make_array<int32_t>(result_shape(v), [&](int32_t* out, size_t) {
    const nb::gil_scoped_release nogil;
    attention_apply(bits, v, threads, out);
  });
}

}  // namespace

void bind_attention(nb::module_& m) {
  nb::class_<HeadTensor>(m, "HeadTensor", "Bits [..., tokens, dim], or token-packed [..., dim, tokens].")
      .def(
          "__init__",
          [](HeadTensor* t, const BitTensor& bits, bool token_packed) {
            new (t) HeadTensor{bits, token_packed};
          },
          nb::arg("bits"), nb::arg("token_packed"));
  nb::enum_<AttentionOrder>(m, "AttentionOrder")
      .value("AUTO", AttentionOrder::kAuto)
      .value("KV_FIRST", AttentionOrder::kKvFirst)
      .value("QK_FIRST", AttentionOrder::kQkFirst);
  m.def("attention", &product, nb::arg("q"), nb::arg("k"), nb::arg("v"), nb::arg("order"), nb::arg("threads"),
        "(q k^T) v of every head, exact.");
  m.def("attention_map", &map, nb::arg("q"), nb::arg("k"), nb::arg("threshold"), nb::arg("threads"),
        "q k^T >= threshold of every head.");
  m.def("attention_apply", &apply, nb::arg("map"), nb::arg("v"), nb::arg("threads"),
        "map v of every head, exact.");
}

}  // namespace snncore::bindings
