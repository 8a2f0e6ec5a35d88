#include "lsh/read_encoder.h"

#include <string>
#include <utility>
#include <vector>

#include "base/checked.h"
#include "lsh/encoders/e2lsh.h"
#include "lsh/encoders/itq.h"
#include "lsh/encoders/mlp.h"
#include "lsh/encoders/ordered.h"
#include "lsh/encoders/quantised.h"
#include "lsh/encoders/rotated.h"

namespace snncore::lsh {
namespace {

std::unique_ptr<Encoder> make(std::string_view kind, Stored& stored, size_t dim, size_t bits) {
  if (kind == "srp") return std::make_unique<Rotated>(kSrp, stored, dim, bits);
  if (kind == "cross_polytope") return std::make_unique<Rotated>(kCrossPolytope, stored, dim, bits);
  if (kind == "e2lsh") return std::make_unique<E2Lsh>(stored, dim, bits);
  const bool floats = stored.has("projection", DType::kF32);
  if (kind == "itq" && floats) return std::make_unique<Itq>(stored, dim, bits);
  if (kind == "mlp" && floats) return std::make_unique<Mlp>(stored, dim, bits);
  if (kind == "itq" || kind == "mlp") return std::make_unique<Quantised>(kind, stored, dim, bits);
  throw Error(ErrorCode::kFormat, "encoder: expected srp, itq, mlp, e2lsh or cross_polytope, received '" +
                                      std::string(kind) + "'");
}

}  // namespace

std::unique_ptr<Encoder> read_encoder(std::string_view kind, size_t dim, size_t bits,
                                      const Tensors& tensors) {
  const bool fits =
      dim >= 1 && dim <= kMaxDim && bits >= kBitStep && bits <= kMaxBits && bits % kBitStep == 0;
  require(fits, ErrorCode::kFormat,
          "encoder: expected 1 to 32768 dimensions and 64 to 1024 bits, a multiple of 64, received " +
              std::to_string(dim) + " and " + std::to_string(bits));
  Stored stored(kind, tensors);
  const bool ordered = stored.has("permutation", DType::kI32);
  std::vector<uint32_t> order = ordered ? read_permutation(stored, bits) : std::vector<uint32_t>();
  std::unique_ptr<Encoder> encoder = make(kind, stored, dim, bits);
  stored.expect_all_read();
  if (!ordered) return encoder;
  return std::make_unique<Ordered>(std::move(encoder), std::move(order));
}

}  // namespace snncore::lsh
