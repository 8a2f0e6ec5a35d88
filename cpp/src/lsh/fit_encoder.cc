#include "lsh/fit_encoder.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/checked.h"
#include "lsh/encoders/fit_e2lsh.h"
#include "lsh/encoders/fit_itq.h"
#include "lsh/encoders/rotated.h"

namespace snncore::lsh {
namespace {

constexpr size_t kMostRows = 100000;
constexpr int kMostIterations = 1000;

void expect(bool ok, const std::string& expected, const std::string& received) {
  require(ok, ErrorCode::kInvalidArgument, "encoder: expected " + expected + ", received " + received);
}

void check(const float* rows, size_t count, size_t dim, size_t bits, const FitOptions& options) {
  expect(count >= 1, "vectors to fit to", "none");
  expect(dim >= 1 && dim <= kMaxDim, "1 to 32768 dimensions", std::to_string(dim));
  expect(bits >= kBitStep && bits <= kMaxBits && bits % kBitStep == 0, "64 to 1024 bits, a multiple of 64",
         std::to_string(bits));
  expect(options.iterations >= 0 && options.iterations <= kMostIterations, "0 to 1000 iterations",
         std::to_string(options.iterations));
  expect(std::isfinite(options.width) && options.width >= 0, "a width of 0 or more",
         std::to_string(options.width));
  const float* odd = std::find_if(rows, rows + count * dim, [](float v) { return !std::isfinite(v); });
  const auto at = static_cast<size_t>(odd - rows);
  expect(at == count * dim, "finite vectors",
         at == count * dim ? "" : std::to_string(*odd) + " in vector " + std::to_string(at / dim));
}

}  // namespace

std::unique_ptr<Encoder> fit_encoder(std::string_view kind, const float* rows, size_t count, size_t dim,
                                     size_t bits, const FitOptions& options) {
  check(rows, count, dim, bits, options);
  const Sample sample(rows, count, dim, kMostRows);
  const auto centre = [&] { return Centre(options.center ? sample.mean() : std::vector<float>(dim)); };
  if (kind == "srp") return std::make_unique<Rotated>(kSrp, centre(), options.seed, bits);
  if (kind == "cross_polytope")
    return std::make_unique<Rotated>(kCrossPolytope, centre(), options.seed, bits);
  if (kind == "itq") return fit_itq(sample, bits, options);
  if (kind == "e2lsh") return fit_e2lsh(sample, bits, options);
  throw Error(ErrorCode::kInvalidArgument,
              "encoder: expected srp, itq, e2lsh or cross_polytope, received '" + std::string(kind) + "'");
}

}  // namespace snncore::lsh
