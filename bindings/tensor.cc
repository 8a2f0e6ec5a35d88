#include "bindings.h"

namespace snncore::bindings {
namespace {

TensorView view_of(const Array<float>& array) { return view_as(array, DType::kF32); }
TensorView view_of(const Array<uint8_t>& array) { return view_as(array, DType::kU8); }
TensorView view_of(const Array<bool>& array) { return view_as(array, DType::kBool); }
TensorView view_of(const BitTensor& bits) { return bits.view(); }

}  // namespace

TensorView view(const InputArray& array) {
  return std::visit([](const auto& a) { return view_of(a); }, array);
}

}  // namespace snncore::bindings
