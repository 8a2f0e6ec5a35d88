#include "runtime/user_order.h"

#include <algorithm>
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

bool flattened(const Program::Impl::Value& v) noexcept {
  return v.step_shape.size() == 1 && v.slot.pixels != 1;
}

// Spikes of a flattened image become one row for each step and sample.
void pack_flattened(const Program::Impl::Value& v, const Frame& frame, size_t steps, size_t batch,
                    uint64_t* out) noexcept {
  const size_t features = v.slot.channels * v.slot.pixels, words = words_for(features);
  std::fill_n(out, steps * batch * words, 0);
  size_t i = 0;
  for_elements(v.slot, true, steps, batch, frame, [&](const std::byte* row, size_t c) noexcept {
    if (get_bit(reinterpret_cast<const uint64_t*>(row), c)) set_bit(out + i / features * words, i % features);
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
  const Shape s = value_shape(v, steps, batch);
  return s.size() == 5 ? Shape{s[0], s[1], s[3], s[4], s[2]} : s;
}

void copy_spikes(const Program::Impl::Value& v, const Frame& frame, size_t steps, size_t batch,
                 uint64_t* out) noexcept {
  if (flattened(v)) return pack_flattened(v, frame, steps, batch, out);
  const size_t bytes = batch * v.slot.sample_bytes();  // rows of whole words, channels last, as they are
  for (size_t t = 0; t < steps; ++t) std::memcpy(out + t * bytes / 8, v.slot.row(frame, t, 0, 0), bytes);
}

Recording record(const Program::Impl::Value& v, const Frame& frame, size_t steps, size_t batch) {
  Recording r{.name = v.name, .dtype = v.dtype, .shape = value_shape(v, steps, batch), .data = {}};
  if (v.dtype == DType::kB1) {
    r.shape = packed_shape(v, steps, batch);
    const auto bits = static_cast<size_t>(r.shape.back());
    r.data.resize(element_count(v, steps, batch) / bits * words_for(bits) * sizeof(uint64_t));
    copy_spikes(v, frame, steps, batch, reinterpret_cast<uint64_t*>(r.data.data()));
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
