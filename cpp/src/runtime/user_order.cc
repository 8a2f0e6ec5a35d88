#include "runtime/user_order.h"

#include <cstring>

#include "base/bits.h"

namespace snncore::runtime {
namespace {

using ops::EdgeType;

// Calls f(row, channel) for every element in user order.
template <typename F>
void for_elements(const Slot& s, bool per_step, size_t steps, size_t batch, const Frame& frame, F&& f) {
  for (size_t t = 0; t < (per_step ? steps : 1); ++t) {
    for (size_t n = 0; n < batch; ++n) {
      for (size_t c = 0; c < s.channels; ++c) {
        for (size_t p = 0; p < s.pixels; ++p) f(s.row(frame, t, n, p), c);
      }
    }
  }
}

template <typename T>
void copy_raw(const Program::Impl::Value& v, const Frame& frame, size_t steps, size_t batch, std::byte* out) {
  auto* to = reinterpret_cast<T*>(out);
  for_elements(v.slot, v.per_step, steps, batch, frame,
               [&](const std::byte* row, size_t c) { *to++ = reinterpret_cast<const T*>(row)[c]; });
}

// Spikes as they are: rows of whole words, channels last.
void copy_rows(const Program::Impl::Value& v, const Frame& frame, size_t steps, size_t batch,
               std::byte* out) {
  for (size_t t = 0; t < steps; ++t, out += batch * v.slot.sample_bytes()) {
    std::memcpy(out, v.slot.row(frame, t, 0, 0), batch * v.slot.sample_bytes());
  }
}

// Spikes of a flattened image become one row for each step and sample.
void pack_flattened(const Program::Impl::Value& v, const Frame& frame, size_t steps, size_t batch,
                    std::byte* out) {
  const size_t features = v.slot.channels * v.slot.pixels, row_bytes = words_for(features) * sizeof(uint64_t);
  std::memset(out, 0, steps * batch * row_bytes);
  size_t i = 0;
  for_elements(v.slot, true, steps, batch, frame, [&](const std::byte* row, size_t c) {
    auto* to = reinterpret_cast<uint64_t*>(out + i / features * row_bytes);
    if (get_bit(reinterpret_cast<const uint64_t*>(row), c)) set_bit(to, i % features);
    ++i;
  });
}

}  // namespace

Shape value_shape(const Program::Impl::Value& v, size_t steps, size_t batch) {
  Shape shape;
  if (v.per_step) shape.push_back(static_cast<int64_t>(steps));
  shape.push_back(static_cast<int64_t>(batch));
  shape.insert(shape.end(), v.step_shape.begin(), v.step_shape.end());
  return shape;
}

size_t element_count(const Program::Impl::Value& v, size_t steps, size_t batch) {
  return (v.per_step ? steps : 1) * batch * v.slot.pixels * v.slot.channels;
}

void copy_reals(const Program::Impl::Value& v, const Frame& frame, size_t steps, size_t batch,
                float* out) noexcept {
  for_elements(v.slot, v.per_step, steps, batch, frame, [&](const std::byte* row, size_t c) noexcept {
    switch (v.slot.type) {
      case EdgeType::kSpike:
        *out++ = get_bit(reinterpret_cast<const uint64_t*>(row), c) ? 1.0F : 0.0F;
        break;
      case EdgeType::kCount:
        *out++ =
            static_cast<float>(reinterpret_cast<const uint16_t*>(row)[c]) / static_cast<float>(v.divisor);
        break;
      case EdgeType::kPixel:
        *out++ = static_cast<float>(reinterpret_cast<const uint8_t*>(row)[c]);
        break;
      case EdgeType::kReal:
        *out++ = reinterpret_cast<const float*>(row)[c];
        break;
      default:
        *out++ = static_cast<float>(reinterpret_cast<const int32_t*>(row)[c]);
        break;
    }
  });
}

Shape packed_shape(const Program::Impl::Value& v, size_t steps, size_t batch) {
  Shape shape = value_shape(v, steps, batch);
  if (shape.size() == 5) shape = {shape[0], shape[1], shape[3], shape[4], shape[2]};
  return shape;
}

void copy_packed(const Program::Impl::Value& v, const Frame& frame, size_t steps, size_t batch,
                 std::byte* out) noexcept {
  const bool flattened = v.step_shape.size() == 1 && v.slot.pixels > 1;
  flattened ? pack_flattened(v, frame, steps, batch, out) : copy_rows(v, frame, steps, batch, out);
}

Recording record(const Program::Impl::Value& v, const Frame& frame, size_t steps, size_t batch) {
  Recording r{.name = v.name, .dtype = v.dtype, .shape = value_shape(v, steps, batch), .data = {}};
  if (v.dtype == DType::kB1) {
    r.shape = packed_shape(v, steps, batch);
    size_t rows = 1;
    for (size_t i = 0; i + 1 < r.shape.size(); ++i) rows *= static_cast<size_t>(r.shape[i]);
    r.data.resize(rows * words_for(static_cast<size_t>(r.shape.back())) * sizeof(uint64_t));
    copy_packed(v, frame, steps, batch, r.data.data());
    return r;
  }
  r.data.resize(element_count(v, steps, batch) * dtype_size(v.dtype));
  if (v.dtype == DType::kI64) {
    copy_raw<int64_t>(v, frame, steps, batch, r.data.data());
  } else {
    copy_raw<int32_t>(v, frame, steps, batch, r.data.data());  // int32 or float: four bytes either way
  }
  return r;
}

}  // namespace snncore::runtime
