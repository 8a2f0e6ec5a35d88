// Sliding windows: which input pixel an output pixel reads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace snncore::runtime {

struct Window {
  int64_t in_h = 1, in_w = 1, out_h = 1, out_w = 1;
  int64_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, pad_top = 0, pad_left = 0, dilation_h = 1,
          dilation_w = 1;

  [[nodiscard]] size_t taps() const noexcept { return static_cast<size_t>(kernel_h * kernel_w); }
  [[nodiscard]] size_t pixels() const noexcept { return static_cast<size_t>(out_h * out_w); }

  /// Calls f(tap, input pixel) for every tap of an output pixel, in order; the pixel is -1 in the padding.
  template <typename F>
  void for_taps(size_t pixel, F&& f) const noexcept {
    const int64_t oy = static_cast<int64_t>(pixel) / out_w, ox = static_cast<int64_t>(pixel) % out_w;
    const int64_t y0 = oy * stride_h - pad_top, x0 = ox * stride_w - pad_left;
    size_t tap = 0;
    for (int64_t ky = 0; ky < kernel_h; ++ky) {
      const int64_t y = y0 + ky * dilation_h;
      const bool row_inside = y >= 0 && y < in_h;
      for (int64_t kx = 0; kx < kernel_w; ++kx, ++tap) {
        const int64_t x = x0 + kx * dilation_w;
        f(tap, row_inside && x >= 0 && x < in_w ? y * in_w + x : int64_t{-1});
      }
    }
  }

  /// The input pixel of the first tap of an output pixel whose taps all lie inside the image; else -1.
  [[nodiscard]] int64_t first_if_inside(size_t pixel) const noexcept {
    return first_if_inside(static_cast<int64_t>(pixel) / out_w, static_cast<int64_t>(pixel) % out_w);
  }
  [[nodiscard]] int64_t first_if_inside(int64_t out_y, int64_t out_x) const noexcept {
    const int64_t y = out_y * stride_h - pad_top, x = out_x * stride_w - pad_left;
    const bool inside =
        y >= 0 && x >= 0 && y + (kernel_h - 1) * dilation_h < in_h && x + (kernel_w - 1) * dilation_w < in_w;
    return inside ? y * in_w + x : -1;
  }

  /// Where the taps of such a pixel lie from the first.
  [[nodiscard]] std::vector<int64_t> tap_offsets() const {
    std::vector<int64_t> offsets;
    for (int64_t ky = 0; ky < kernel_h; ++ky) {
      for (int64_t kx = 0; kx < kernel_w; ++kx) offsets.push_back(ky * dilation_h * in_w + kx * dilation_w);
    }
    return offsets;
  }

  /// A window that reads the row of its input that it writes: vectors, one below the other.
  static Window same(size_t rows) noexcept {
    Window w;
    w.in_h = w.out_h = static_cast<int64_t>(rows);
    return w;
  }

  /// A window that reads every row of its input once: a linear layer on a flattened image, or on a vector.
  static Window whole(size_t rows) noexcept {
    Window w;
    w.in_w = w.kernel_w = static_cast<int64_t>(rows);
    return w;
  }
};

}  // namespace snncore::runtime
