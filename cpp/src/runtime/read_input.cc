#include "runtime/read_input.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/bits.h"
#include "base/checked.h"
#include "kernels/table.h"
#include "runtime/layout.h"

namespace snncore::runtime {
namespace {

using ops::EdgeType;

// Calls f(slot row of the first pixel, index of its first element in the array) for every line (t, n, y).
template <typename F>
void for_lines(const Slot& s, const Axes& a, const Frame& frame, F&& f) {
  for (size_t t = 0; t < s.steps; ++t) {
    for (size_t n = 0; n < s.batch; ++n) {
      for (size_t y = 0; y < s.height; ++y) {
        f(s.row(frame, t, n, y * s.width),
          static_cast<int64_t>(t) * a.st + static_cast<int64_t>(n) * a.sn + static_cast<int64_t>(y) * a.sh);
      }
    }
  }
}

// The same for every (t, n, y, x).
template <typename F>
void for_rows(const Slot& s, const Axes& a, const Frame& frame, F&& f) {
  for_lines(s, a, frame, [&](std::byte* row, int64_t first) {
    for (size_t x = 0; x < s.width; ++x, row += s.row_bytes, first += a.sw) f(row, first);
  });
}

// float32 to pixel: the nearest code of (x / scale + zero_point), in float64.
uint8_t to_pixel(const std::string& name, float x, double scale, int64_t zero_point) {
  if (!std::isfinite(x))
    throw Error(ErrorCode::kShape, name + ": values of pixels are finite, received " + std::to_string(x));
  const double p = std::floor(static_cast<double>(x) / scale + static_cast<double>(zero_point) + 0.5);
  return static_cast<uint8_t>(std::clamp(p, 0.0, 255.0));
}

// Images whose pixels are bytes beside each other, and those of three such planes: the usual ones.
bool read_image(const Slot& s, const uint8_t* image, const Axes& a, uint8_t* to) {
  if (s.row_bytes != s.channels || a.sh != a.w * a.sw) return false;
  if (a.sc == 1 && a.sw == a.c) {
    std::memcpy(to, image, s.sample_bytes());
    return true;
  }
  if (a.c != 3 || a.sw != 1) return false;
  kernels::kernels().interleave3_u8({image, image + a.sc, image + 2 * a.sc}, s.pixels, to);
  return true;
}

// Others a channel at a time.
void read_bytes(const Slot& s, const uint8_t* array, const Axes& a, const Frame& frame) {
  for (size_t t = 0; t < s.steps; ++t) {
    for (size_t n = 0; n < s.batch; ++n) {
      const uint8_t* image = array + static_cast<int64_t>(t) * a.st + static_cast<int64_t>(n) * a.sn;
      if (read_image(s, image, a, s.row<uint8_t>(frame, t, n, 0))) continue;
      for (size_t c = 0; c < s.channels; ++c) {
        auto* to = s.row<uint8_t>(frame, t, n, 0) + c;
        for (size_t y = 0; y < s.height; ++y) {
          const uint8_t* from = image + static_cast<int64_t>(c) * a.sc + static_cast<int64_t>(y) * a.sh;
          for (size_t x = 0; x < s.width; ++x, from += a.sw, to += s.row_bytes) *to = *from;
        }
      }
    }
  }
}

void read_pixels(const Program::Impl::Input& in, const TensorView& array, const Axes& a, const Frame& frame) {
  if (array.dtype == DType::kU8) {
    read_bytes(in.slot, static_cast<const uint8_t*>(array.data), a, frame);
    return;
  }
  const auto channels = static_cast<int64_t>(in.slot.channels);
  for_rows(in.slot, a, frame, [&](std::byte* row, int64_t first) {
    auto* to = reinterpret_cast<uint8_t*>(row);
    const auto* from = static_cast<const float*>(array.data) + first;
    for (int64_t c = 0; c < channels; ++c)
      to[c] = to_pixel(in.name, from[c * a.sc], in.edge.scale, in.edge.zero_point[static_cast<size_t>(c)]);
  });
}

void read_reals(const Program::Impl::Input& in, const TensorView& array, const Axes& a, const Frame& frame) {
  const auto channels = static_cast<int64_t>(in.slot.channels);
  const auto scale = static_cast<float>(in.edge.scale);
  for_rows(in.slot, a, frame, [&](std::byte* row, int64_t first) {
    auto* to = reinterpret_cast<float*>(row);
    for (int64_t c = 0; c < channels; ++c) {
      const int64_t i = first + c * a.sc;
      if (array.dtype == DType::kF32) {
        to[c] = static_cast<const float*>(array.data)[i];
      } else {
        const int64_t p = static_cast<const uint8_t*>(array.data)[i];
        to[c] = static_cast<float>(p - in.edge.zero_point[static_cast<size_t>(c)]) * scale;
      }
    }
  });
}

// Of numbers `stride` apart.
template <typename T>
void require_spikes(const std::string& name, const T* from, size_t count, int64_t stride) {
  for (; count > 0; --count, from += stride) {
    if (*from != T{0} && *from != T{1})
      throw Error(ErrorCode::kShape, name + ": spikes are 0 or 1, received " + std::to_string(*from));
  }
}

// Elements beside each other are the channels of a row; else, and where those are few, pixels of a line whose
// channels go to their rows one after the other.
template <typename T>
void read_spikes(const Program::Impl::Input& in, const TensorView& array, const Axes& a, const Frame& frame,
                 void (*pack)(const T*, size_t, uint64_t*)) {
  constexpr size_t kFew = 16;
  const Slot& s = in.slot;
  const bool rows = a.sc == 1 && s.channels > kFew, numbers = array.dtype != DType::kBool;
  const auto* const elements = static_cast<const T*>(array.data);
  for_lines(s, a, frame, [&](std::byte* row, int64_t first) {
    const T* from = elements + first;
    std::memset(row, 0, s.width * s.row_bytes);
    for (size_t x = 0; rows && x < s.width; ++x, from += a.sw, row += s.row_bytes) {
      if (numbers) require_spikes(in.name, from, s.channels, 1);
      pack(from, s.channels, reinterpret_cast<uint64_t*>(row));
    }
    for (size_t c = 0; !rows && c < s.channels; ++c, from += a.sc) {
      if (numbers) require_spikes(in.name, from, s.width, a.sw);
      auto* to = reinterpret_cast<uint64_t*>(row) + c / 64;
      const T* element = from;
      for (size_t x = 0; x < s.width; ++x, element += a.sw, to += s.row_bytes / sizeof(uint64_t))
        *to |= uint64_t{*element != T{}} << (c % 64);
    }
  });
}

// Counts: u8 as they are, f32 as values, each a whole number of 1 / divisor.
template <typename T>
void read_counts(const Program::Impl::Input& in, const TensorView& array, const Axes& a, const Frame& frame) {
  const T unit = std::is_same_v<T, float> ? static_cast<T>(in.edge.divisor) : T{1};
  for_rows(in.slot, a, frame, [&](std::byte* row, int64_t first) {
    auto* to = reinterpret_cast<uint16_t*>(row);
    const auto* from = static_cast<const T*>(array.data) + first;
    for (size_t c = 0; c < in.slot.channels; ++c) {
      const T v = from[static_cast<int64_t>(c) * a.sc], count = static_cast<T>(v * unit);
      const bool whole = count >= T{} && static_cast<double>(count) <= static_cast<double>(in.edge.hi) &&
                         static_cast<T>(static_cast<uint16_t>(count)) == count;
      if (!whole) {
        throw Error(ErrorCode::kShape, in.name + ": expected counts 0.." + std::to_string(in.edge.hi) +
                                           " of 1/" + std::to_string(in.edge.divisor) + ", received " +
                                           std::to_string(v));
      }
      to[c] = static_cast<uint16_t>(count);
    }
  });
}

// Packed arrays have their channels last, whatever the layout says of the others.
void read_packed(const Program::Impl::Input& in, const TensorView& array, const Frame& frame) {
  const Slot& s = in.slot;
  const auto* from = static_cast<const uint64_t*>(array.data);
  auto* to = reinterpret_cast<uint64_t*>(frame.scratch + s.offset);
  const size_t rows = s.steps * s.batch * s.pixels, words = words_for(s.channels), pitch = s.row_bytes / 8;
  if (pitch == words) {
    std::memcpy(to, from, rows * s.row_bytes);
  } else {
    for (size_t r = 0; r < rows; ++r) std::memcpy(to + r * pitch, from + r * words, words * 8);
  }
  if (s.channels % 64 == 0) return;
  for (size_t r = 0; r < rows; ++r) to[r * pitch + words - 1] &= tail_mask(s.channels);
}

bool accepts(const Program::Impl::Input& in, DType dtype) noexcept {
  switch (in.edge.type) {
    case EdgeType::kPixel:
      return dtype == DType::kU8 || dtype == DType::kF32;
    case EdgeType::kReal:
      return dtype == DType::kF32 || (dtype == DType::kU8 && !in.edge.zero_point.empty());
    case EdgeType::kCount:
      return dtype == DType::kU8 || dtype == DType::kF32 || dtype == DType::kBool;
    default:
      return dtype == DType::kBool || dtype == DType::kU8 || dtype == DType::kF32 || dtype == DType::kB1;
  }
}

const char* accepted(const Program::Impl::Input& in) noexcept {
  switch (in.edge.type) {
    case EdgeType::kPixel:
      return "u8 raw pixels or f32 normalised values";
    case EdgeType::kReal:
      return in.edge.zero_point.empty() ? "f32" : "f32 normalised values or u8 raw pixels";
    case EdgeType::kCount:
      return "counts as u8, or f32 values";
    default:
      return "spikes as bool, u8, f32 or packed bits";
  }
}

std::string packed_layout(const std::string& layout, bool image) {
  std::string out;
  for (const char axis : std::string(image ? "TNHWC" : "TNC")) {
    if (layout.find(axis) != std::string::npos) out += axis;
  }
  return out;
}

}  // namespace

Shape input_shape(const Program::Impl::Input& in, size_t steps, size_t batch) {
  Shape shape;
  for (const char axis : in.layout) {
    switch (axis) {
      case 'T':
        shape.push_back(static_cast<int64_t>(steps));
        break;
      case 'N':
        shape.push_back(static_cast<int64_t>(batch));
        break;
      case 'C':
        shape.push_back(static_cast<int64_t>(in.slot.channels));
        break;
      case 'H':
        shape.push_back(static_cast<int64_t>(in.slot.height));
        break;
      default:
        shape.push_back(static_cast<int64_t>(in.slot.width));
        break;
    }
  }
  return shape;
}

void read_input(const Program::Impl::Input& in, const TensorView& array, size_t steps, size_t batch,
                const Frame& frame) {
  if (!accepts(in, array.dtype)) {
    throw Error(ErrorCode::kShape,
                in.name + ": expected " + accepted(in) + ", received " + dtype_name(array.dtype));
  }
  const bool packed = array.dtype == DType::kB1;
  const Axes a = [&] {
    if (!packed) return axes_of(in.layout, array.shape, in.name);
    return axes_of(packed_layout(in.layout, in.edge.is_image()), array.shape, in.name);
  }();
  const Slot& s = in.slot;
  const bool fits = a.c == static_cast<int64_t>(s.channels) && a.h == static_cast<int64_t>(s.height) &&
                    a.w == static_cast<int64_t>(s.width) && a.n == static_cast<int64_t>(batch) &&
                    a.t == static_cast<int64_t>(in.repeat ? 1 : steps);
  if (!fits) {
    throw Error(ErrorCode::kShape, in.name + ": expected " + shape_string(input_shape(in, steps, batch)) +
                                       " in layout " + in.layout + ", received " + shape_string(array.shape));
  }
  if (packed) {
    read_packed(in, array, frame);
  } else if (in.edge.type == EdgeType::kPixel) {
    read_pixels(in, array, a, frame);
  } else if (in.edge.type == EdgeType::kReal) {
    read_reals(in, array, a, frame);
  } else if (in.edge.type == EdgeType::kCount) {
    if (array.dtype == DType::kF32) {
      read_counts<float>(in, array, a, frame);
    } else {
      read_counts<uint8_t>(in, array, a, frame);
    }
  } else if (array.dtype == DType::kF32) {
    read_spikes(in, array, a, frame, kernels::kernels().pack_f32_b1);
  } else {
    read_spikes(in, array, a, frame, kernels::kernels().pack_u8_b1);
  }
}

}  // namespace snncore::runtime
