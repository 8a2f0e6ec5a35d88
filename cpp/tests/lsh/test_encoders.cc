// All encoders: the order of their sums, their tensors, and what is refused.
#include <algorithm>
#include <cmath>

#include <snncore/error.h>

#include "lsh/encoder_case.h"

namespace snncore::test {
namespace {

using lsh::Tensors;

TEST_CASE("bits are set where logits are at least 0") {
  Random random(1);
  for (const size_t bits : {1, 63, 64, 65, 130}) {
    std::vector<float> logits(3 * bits);
    for (float& v : logits) v = random.pick({-1.0F, -0.0F, 0.0F, 1e-45F, -1e-45F});
    std::vector<uint64_t> codes(3 * words_for(bits), ~uint64_t{0});
    lsh::sign_bits(logits.data(), 3, bits, codes.data());
    for (size_t row = 0; row < 3; ++row) {
      for (size_t i = 0; i < words_for(bits) * 64; ++i) {
        const bool expected = i < bits && logits[row * bits + i] >= 0;
        CHECK(get_bit(codes.data() + row * words_for(bits), i) == expected);
      }
    }
  }
}

Tensors float_network(Random& random, int64_t dim, int64_t bits, int64_t hidden) {
  return {{"mean", random_floats(random, {dim})},
          {"projection", random_floats(random, {dim, bits})},
          {"hidden", random_floats(random, {dim, hidden})},
          {"hidden_bias", random_floats(random, {hidden})},
          {"residual", random_floats(random, {hidden, bits})}};
}

tensor::Tensor random_layer(Random& random, bool signs, int64_t inputs, int64_t outputs) {
  return signs ? random_words(random, {inputs, outputs / 64}) : random_codes(random, {inputs, outputs});
}

Tensors byte_network(Random& random, bool signs, int64_t dim, int64_t bits, int64_t hidden) {
  Tensors all = {{"mean", random_floats(random, {dim})},
                 {"input_scale", random_floats(random, {dim}, 60)},
                 {"projection", random_layer(random, signs, dim, bits)},
                 {"projection_scale", random_floats(random, {bits})},
                 {"bias", random_floats(random, {bits})}};
  if (hidden == 0) return all;
  all.insert({{"hidden", random_layer(random, signs, dim, hidden)},
              {"hidden_scale", random_floats(random, {hidden}, 0.1F)},
              {"hidden_bias", random_floats(random, {hidden}, 200)},
              {"residual", random_layer(random, !signs, hidden, bits)},
              {"residual_scale", random_floats(random, {bits})}});
  return all;
}

// y[o] = the sum of x[i] w[i][o] in the order of i, from 0.
std::vector<float> float_sums(const std::vector<float>& x, const tensor::Tensor& w) {
  const auto outputs = static_cast<size_t>(w.shape[1]);
  std::vector<float> y(outputs);
  for (size_t o = 0; o < outputs; ++o) {
    for (size_t i = 0; i < x.size(); ++i) y[o] += x[i] * w.as<float>()[i * outputs + o];
  }
  return y;
}

std::vector<int64_t> byte_sums(const std::vector<int64_t>& x, const tensor::Tensor& w) {
  const bool signs = w.dtype == DType::kU64;
  const auto columns = static_cast<size_t>(w.shape[1]), outputs = signs ? columns * 64 : columns;
  std::vector<int64_t> y(outputs);
  for (size_t i = 0; i < x.size(); ++i) {
    for (size_t o = 0; o < outputs; ++o) {
      const bool set = signs && get_bit(w.as<uint64_t>() + i * columns, o);
      y[o] += x[i] * (signs ? (set ? 1 : -1) : w.as<int8_t>()[i * outputs + o]);
    }
  }
  return y;
}

std::vector<float> centred(const std::vector<float>& rows, size_t row, const tensor::Tensor& mean) {
  const auto dim = static_cast<size_t>(mean.shape[0]);
  std::vector<float> out(dim);
  for (size_t i = 0; i < dim; ++i) out[i] = rows[row * dim + i] - mean.as<float>()[i];
  return out;
}

TEST_CASE("a float network sums in the order of its inputs, bit for bit") {
  Random random(2);
  for (const size_t dim : {1, 7, 65}) {
    const Tensors tensors = float_network(random, static_cast<int64_t>(dim), 128, 64);
    const auto encoder = lsh::read_encoder("mlp", dim, 128, tensors);
    const std::vector<float> rows = random_rows(random, 19, dim);
    std::vector<float> expected;
    for (size_t row = 0; row < 19; ++row) {
      const std::vector<float> x = centred(rows, row, tensors.at("mean"));
      std::vector<float> hidden = float_sums(x, tensors.at("hidden"));
      for (size_t h = 0; h < hidden.size(); ++h) {
        hidden[h] = std::max(0.0F, hidden[h] + tensors.at("hidden_bias").as<float>()[h]);
      }
      const std::vector<float> projection = float_sums(x, tensors.at("projection"));
      const std::vector<float> residual = float_sums(hidden, tensors.at("residual"));
      for (size_t b = 0; b < 128; ++b) expected.push_back(projection[b] + residual[b]);
    }
    CHECK(same_bytes(logits_of(*encoder, rows), expected));
  }
}

std::vector<float> byte_logits(const Tensors& t, const std::vector<float>& rows, size_t row, bool mlp) {
  std::vector<int64_t> q, h;
  const std::vector<float> x = centred(rows, row, t.at("mean"));
  for (size_t i = 0; i < x.size(); ++i) {
    q.push_back(std::lrint(std::clamp(x[i] * t.at("input_scale").as<float>()[i], -127.0F, 127.0F)));
  }
  std::vector<float> out;
  for (const int64_t sum : byte_sums(q, t.at("projection"))) {
    const size_t b = out.size();
    out.push_back(static_cast<float>(sum) * t.at("projection_scale").as<float>()[b] +
                  t.at("bias").as<float>()[b]);
  }
  if (!mlp) return out;
  for (const int64_t sum : byte_sums(q, t.at("hidden"))) {
    const float v = static_cast<float>(sum) * t.at("hidden_scale").as<float>()[h.size()] +
                    t.at("hidden_bias").as<float>()[h.size()];
    h.push_back(std::lrint(std::clamp(v, 0.0F, 255.0F)));
  }
  const std::vector<int64_t> residual = byte_sums(h, t.at("residual"));
  for (size_t b = 0; b < out.size(); ++b) {
    out[b] += static_cast<float>(residual[b]) * t.at("residual_scale").as<float>()[b];
  }
  return out;
}

TEST_CASE("weights of int8 and of +1 and -1 sum exactly") {
  Random random(3);
  for (const bool signs : {false, true}) {
    for (const size_t hidden : {0, 64, 192}) {
      const size_t dim = random.size(1, 200);
      const Tensors tensors =
          byte_network(random, signs, static_cast<int64_t>(dim), 64, static_cast<int64_t>(hidden));
      const auto encoder = lsh::read_encoder(hidden == 0 ? "itq" : "mlp", dim, 64, tensors);
      const std::vector<float> rows = random_rows(random, 20, dim);
      std::vector<float> expected;
      for (size_t row = 0; row < 20; ++row) {
        const std::vector<float> one = byte_logits(tensors, rows, row, hidden != 0);
        expected.insert(expected.end(), one.begin(), one.end());
      }
      CHECK(same_bytes(logits_of(*encoder, rows), expected));
    }
  }
}

void check_round_trip(const lsh::Encoder& encoder, const std::vector<float>& rows) {
  const Tensors tensors = encoder.tensors();
  const auto again = lsh::read_encoder(encoder.kind(), encoder.dim(), encoder.bits(), tensors);
  CAPTURE(encoder.kind());
  CHECK(again->kind() == encoder.kind());
  CHECK(same_bytes(logits_of(*again, rows), logits_of(encoder, rows)));
  for (const auto& [name, tensor] : tensors) {
    Tensors without = tensors, renamed = tensors;
    without.erase(name);
    renamed["odd"] = tensor;
    CHECK_THROWS_AS(lsh::read_encoder(encoder.kind(), encoder.dim(), encoder.bits(), without), Error);
    CHECK_THROWS_AS(lsh::read_encoder(encoder.kind(), encoder.dim(), encoder.bits(), renamed), Error);
  }
  CHECK_THROWS_AS(lsh::read_encoder(encoder.kind(), encoder.dim() + 1, encoder.bits(), tensors), Error);
  if (encoder.kind() == "srp") return;  // a rotation has more projections than bits
  CHECK_THROWS_AS(lsh::read_encoder(encoder.kind(), encoder.dim(), 2 * encoder.bits(), tensors), Error);
}

TEST_CASE("an encoder read from its tensors is the same; what does not fit is refused") {
  Random random(4);
  for (const size_t dim : {3, 70}) {
    const std::vector<float> rows = random_rows(random, 60, dim);
    for (const char* kind : {"srp", "itq", "e2lsh", "cross_polytope"}) {
      for (const size_t bits : {64, 192}) {
        const auto encoder = lsh::fit_encoder(kind, rows.data(), 60, dim, bits, {.seed = random.next()});
        CHECK(encoder->bits() == bits);
        check_round_trip(*encoder, rows);
      }
    }
    const auto signed_dim = static_cast<int64_t>(dim);
    check_round_trip(*lsh::read_encoder("mlp", dim, 64, float_network(random, signed_dim, 64, 128)), rows);
    check_round_trip(*lsh::read_encoder("mlp", dim, 64, byte_network(random, true, signed_dim, 64, 64)),
                     rows);
    check_round_trip(*lsh::read_encoder("itq", dim, 64, byte_network(random, false, signed_dim, 64, 0)),
                     rows);
  }
}

TEST_CASE("itq: axes are orthonormal where there are as many components as bits") {
  Random random(5);
  const std::vector<float> rows = random_rows(random, 300, 90);
  const auto encoder = lsh::fit_encoder("itq", rows.data(), 300, 90, 64);
  const tensor::Tensor projection = encoder->tensors().at("projection");
  for (size_t a = 0; a < 64; ++a) {
    for (size_t b = 0; b < 64; ++b) {
      double sum = 0;
      for (size_t i = 0; i < 90; ++i) {
        sum += double{projection.as<float>()[i * 64 + a]} * projection.as<float>()[i * 64 + b];
      }
      CHECK(sum == doctest::Approx(a == b ? 1 : 0).epsilon(1e-5));
    }
  }
}

TEST_CASE("what a fit cannot use is refused in words") {
  const std::vector<float> same(20, 1.5F), near = {0, 0, 0x1p-140F, 0}, bad = {1, 2, 3, INFINITY};
  const auto refuses = [](auto&& fit, const char* message) { CHECK_THROWS_WITH_AS(fit(), message, Error); };
  refuses([&] { lsh::fit_encoder("itq", same.data(), 10, 2, 64); }, "itq: expected vectors that differ");
  refuses([&] { lsh::fit_encoder("e2lsh", same.data(), 10, 2, 64); },
          "e2lsh: expected vectors that differ, or a width");
  refuses([&] { lsh::fit_encoder("e2lsh", near.data(), 2, 2, 64); },
          "e2lsh: expected vectors that differ, or a width");
  refuses([&] { lsh::fit_encoder("srp", same.data(), 0, 2, 64); },
          "encoder: expected vectors to fit to, received none");
  refuses([&] { lsh::fit_encoder("srp", same.data(), 10, 2, 65); },
          "encoder: expected 64 to 1024 bits, a multiple of 64, received 65");
  refuses([&] { lsh::fit_encoder("srp", bad.data(), 2, 2, 64); },
          "encoder: expected finite vectors, received inf in vector 1");
  refuses([&] { lsh::fit_encoder("mlp", same.data(), 10, 2, 64); },
          "encoder: expected srp, itq, e2lsh or cross_polytope, received 'mlp'");
}

}  // namespace
}  // namespace snncore::test
