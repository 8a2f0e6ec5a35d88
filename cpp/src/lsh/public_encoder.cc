// snncore::Encoder: checks what callers hand over, and shares rows among threads.
#include <snncore/encoder.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "base/bits.h"
#include "base/checked.h"
#include "base/parallel.h"
#include "kernels/table.h"
#include "lsh/fit_encoder.h"
#include "lsh/read_encoder.h"

namespace snncore {
namespace {

constexpr size_t kLeastShare = 64;  // rows that are worth a thread

void require_kernels() {
  const char* problem = kernels::selection_error();
  require(problem == nullptr, ErrorCode::kInvalidArgument, problem == nullptr ? "" : problem);
}

void require_vectors(const TensorView& vectors, const std::string& dim) {
  const bool fits = vectors.dtype == DType::kF32 && vectors.shape.size() == 2 && vectors.shape[0] >= 0 &&
                    (dim == "dim" || std::to_string(vectors.shape[1]) == dim);
  require(fits, ErrorCode::kShape,
          "encoder: expected f32 vectors of shape [n, " + dim + "], received " + dtype_name(vectors.dtype) +
              " " + shape_string(vectors.shape));
}

tensor::Tensor copy_of(const TensorView& view) {
  const int64_t count = element_count(view.shape, "encoder");
  std::byte* to = nullptr;
  tensor::Tensor tensor = tensor::make_tensor(view.dtype, view.shape, &to);
  if (count > 0) std::memcpy(to, view.data, tensor.bytes);
  return tensor;
}

// Rows in blocks, which workers share.
class Shares {
 public:
  Shares(const lsh::Encoder& encoder, const float* rows, size_t count, size_t threads)
      : encoder_(encoder),
        rows_(rows),
        count_(count),
        workers_(std::clamp<size_t>(count / kLeastShare, 1, threads)) {}

  void write_logits(float* out) {
    logits_ = out;
    run();
  }
  void write_codes(uint64_t* out) {
    codes_ = out;
    run();
  }

 private:
  void run() {
    const auto some = [](void* self, size_t /*worker*/, size_t first, size_t end) noexcept {
      static_cast<Shares*>(self)->work(first * kLeastShare, end * kLeastShare);
    };
    run_on_workers(workers_, (count_ + kLeastShare - 1) / kLeastShare, some, this);
  }

  void work(size_t first, size_t end) const noexcept {
    const size_t last = std::min(end, count_);
    const size_t dim = encoder_.dim(), bits = encoder_.bits();
    if (logits_ != nullptr) {
      encoder_.logits(rows_ + first * dim, last - first, logits_ + first * bits);
      return;
    }
    std::vector<float> logits(kLeastShare * bits);
    for (size_t row = first; row < last; row += kLeastShare) {
      const size_t rows = std::min(kLeastShare, last - row);
      encoder_.logits(rows_ + row * dim, rows, logits.data());
      lsh::sign_bits(logits.data(), rows, bits, codes_ + row * words_for(bits));
    }
  }

  const lsh::Encoder& encoder_;
  const float* rows_;
  size_t count_, workers_;
  float* logits_ = nullptr;
  uint64_t* codes_ = nullptr;
};

Shares checked_shares(const lsh::Encoder& encoder, const TensorView& vectors, int threads) {
  require_vectors(vectors, std::to_string(encoder.dim()));
  check_threads("encoder", threads);
  const auto* rows = static_cast<const float*>(vectors.data);
  const auto count = static_cast<size_t>(vectors.shape[0]);
  require(std::all_of(rows, rows + count * encoder.dim(), [](float v) { return std::isfinite(v); }),
          ErrorCode::kInvalidArgument, "encoder: expected finite vectors");
  return {encoder, rows, count, static_cast<size_t>(threads)};
}

}  // namespace

Encoder::Encoder(std::shared_ptr<const lsh::Encoder> encoder) : encoder_(std::move(encoder)) {}

Encoder Encoder::fit(std::string_view kind, const TensorView& vectors, int64_t bits,
                     const EncoderOptions& options) {
  require_kernels();
  require_vectors(vectors, "dim");
  return Encoder(
      lsh::fit_encoder(kind, static_cast<const float*>(vectors.data), static_cast<size_t>(vectors.shape[0]),
                       static_cast<size_t>(vectors.shape[1]), static_cast<size_t>(std::max<int64_t>(bits, 0)),
                       {options.seed, options.center, options.iterations, options.width}));
}

Encoder Encoder::from_tensors(std::string_view kind, int64_t dim, int64_t bits,
                              const std::map<std::string, TensorView>& tensors) {
  require_kernels();
  lsh::Tensors copies;
  for (const auto& [name, view] : tensors) copies.emplace(name, copy_of(view));
  return Encoder(lsh::read_encoder(kind, static_cast<size_t>(std::max<int64_t>(dim, 0)),
                                   static_cast<size_t>(std::max<int64_t>(bits, 0)), copies));
}

std::string_view Encoder::kind() const noexcept { return encoder_->kind(); }
int64_t Encoder::dim() const noexcept { return static_cast<int64_t>(encoder_->dim()); }
int64_t Encoder::bits() const noexcept { return static_cast<int64_t>(encoder_->bits()); }

void Encoder::logits(const TensorView& vectors, std::span<float> out, int threads) const {
  Shares shares = checked_shares(*encoder_, vectors, threads);
  const size_t places = static_cast<size_t>(vectors.shape[0]) * encoder_->bits();
  require(out.size() == places, ErrorCode::kInvalidArgument,
          "encoder: expected room for " + std::to_string(places) + " logits, received " +
              std::to_string(out.size()));
  if (places > 0) shares.write_logits(out.data());
}

BitTensor Encoder::encode(const TensorView& vectors, int threads) const {
  Shares shares = checked_shares(*encoder_, vectors, threads);
  const Shape shape = {vectors.shape[0], bits()};
  std::vector<uint64_t> codes(static_cast<size_t>(shape[0]) * words_for(encoder_->bits()));
  if (!codes.empty()) shares.write_codes(codes.data());
  return BitTensor::pack({codes.data(), DType::kB1, shape});
}

Encoder::Parts Encoder::tensors() const {
  auto owned = std::make_shared<const lsh::Tensors>(encoder_->tensors());
  Parts parts{{}, owned};
  for (const auto& [name, tensor] : *owned) {
    parts.tensors.emplace(name, TensorView{tensor.data, tensor.dtype, tensor.shape});
  }
  return parts;
}

}  // namespace snncore
