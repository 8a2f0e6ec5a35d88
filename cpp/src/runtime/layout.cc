#include "runtime/layout.h"

#include <algorithm>

#include "base/checked.h"

namespace snncore::runtime {

bool check_layout(const std::string& layout, bool image, const std::string& what) {
  const std::string allowed = image ? "TNCHW" : "TNC", needed = image ? "CHW" : "C";
  bool ok = true;
  for (const char axis : layout)
    ok = ok && allowed.find(axis) != std::string::npos && std::ranges::count(layout, axis) == 1;
  for (const char axis : needed) ok = ok && layout.find(axis) != std::string::npos;
  require(ok, ErrorCode::kInvalidArgument,
          what + ": layout '" + layout + "' is not a permutation of " + (image ? "C H W" : "C") +
              ", with N and T where they exist");
  return layout.find('T') != std::string::npos;
}

Axes axes_of(const std::string& layout, const Shape& shape, const std::string& what) {
  if (shape.size() != layout.size()) {
    throw Error(ErrorCode::kShape, what + ": layout " + layout + " has " + std::to_string(layout.size()) +
                                       " axes, the array has shape " + shape_string(shape));
  }
  Axes a;
  int64_t stride = 1;
  for (size_t i = layout.size(); i-- > 0;) {
    switch (layout[i]) {
      case 'T':
        a.t = shape[i];
        a.st = stride;
        break;
      case 'N':
        a.n = shape[i];
        a.sn = stride;
        break;
      case 'C':
        a.c = shape[i];
        a.sc = stride;
        break;
      case 'H':
        a.h = shape[i];
        a.sh = stride;
        break;
      default:
        a.w = shape[i];
        a.sw = stride;
        break;
    }
    stride *= shape[i];
  }
  return a;
}

}  // namespace snncore::runtime
