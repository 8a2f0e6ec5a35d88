// Program::memory is what the heap gives, to the byte: blocks that are asked for are counted.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>

#include "base/align.h"
#include "forced_method.h"
#include "kernels/lut_codes.h"
#include "kernels/sparse_codes.h"
#include "kernels/table.h"
#include "small_network.h"

namespace {
std::atomic<size_t> given{0};
}  // namespace

// The sanitizers bring an allocator of their own.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
#define SNNCORE_COUNTS_BLOCKS 1
extern "C" {
void* __libc_memalign(size_t alignment, size_t size);
void* aligned_alloc(size_t alignment, size_t size) {
  given.fetch_add(size, std::memory_order_relaxed);
  return __libc_memalign(alignment, size);
}
}
#endif

namespace snncore {
namespace {

// Of 50 neurons with 200 inputs; of eight so many are zero.
std::vector<int8_t> codes(int bits, int zeros) {
  const int32_t half = 1 << (bits - 1);
  std::vector<int8_t> all =
      sample::Numbers(3).codes(size_t{50} * 200, zeros > 0 ? 1 - half : -half, half - 1);
  for (size_t i = 0; i < all.size(); ++i) {
    if (static_cast<int>(i % 8) < zeros) all[i] = 0;
  }
  return all;
}

// A linear layer with those weights, a neuron and a readout.
Model one_layer(int bits, const std::string& state, int zeros) {
  const std::vector<int8_t> all = codes(bits, zeros);
  const std::vector<double> scale{0.01};
  GraphBuilder b;
  b.linear("fc", b.input("x", "b1", {200}, {}, 0, "TNC"),
           {.shape = {50, 200},
            .codes = all,
            .encoding = zeros > 0 ? "sym" : "odd",
            .bits = bits,
            .scale = scale,
            .values = {}});
  b.output("y", b.readout("mean", b.lif("n", "fc", {.state = state}), "mean"));
  return b.build(4);
}

TEST_CASE("a session takes what memory says") {
  for (const char* state : {"i2", "i4", "i8", "i16", "i32"}) {
    const Model model = sample::small_network({.neuron = {.state = state}});
    for (const Mode mode : {Mode::kSequence, Mode::kStream}) {
      for (const int64_t batch : {1, 3}) {
        for (const int threads : {1, 4}) {
          const Program program(model, {.mode = mode, .batch = batch, .threads = threads, .record = {"n1"}});
          const Memory memory = program.memory();
          CHECK(memory.session() == program.session_bytes());
          CHECK(memory.weights == program.weight_bytes());
          CHECK((memory.membranes > 0) == (mode == Mode::kStream));
#ifdef SNNCORE_COUNTS_BLOCKS
          const size_t before = given;
          const Session session(program);
          CHECK(given - before == memory.session());
#endif
        }
      }
    }
  }
}

TEST_CASE("membranes take their bits, rows of channels padded") {
  for (const auto& [state, bits] : {std::pair{"i2", 2}, {"i4", 4}, {"i8", 8}, {"i16", 16}, {"i32", 32}}) {
    const Model model = one_layer(4, state, 0);
    const Program program(model, {.mode = Mode::kStream, .batch = 5});
    const Memory memory = program.memory();
    const size_t row = kernels::pad_channels(50);
    CHECK(memory.nodes.at(0).name == "fc");
    CHECK(memory.nodes.at(1).name == "n");
    CHECK(memory.nodes.at(1).membranes == align_up(5 * row * static_cast<size_t>(bits) / 8) + kTailPad);
    CHECK(memory.nodes.at(2).history == align_up(size_t{5} * 50 * 8) + kTailPad);
    const Session session(program);
    CHECK(session.save_state().size() - 24 == memory.membranes + memory.history);
  }
}

// The blocks of a second Program of a model are those of the first, less the weights.
size_t blocks_of_weights([[maybe_unused]] const Model& model) {
  size_t first = 0, second = 0;
  for (size_t* count : {&first, &second}) {
    const size_t before = given;
    const Program program(model, {});
    *count = given - before;
  }
  return first - second;
}

TEST_CASE("weights take what memory says") {
  const runtime::Forced gather(runtime::SumMethod::kGather);
  for (const int bits : {1, 2, 4, 8}) {
    const Model model = one_layer(bits, "i16", 0);
    [[maybe_unused]] const size_t blocks = blocks_of_weights(model);
    const size_t weights = Program(model, {}).memory().weights;
    CHECK(weights == Program(model, {.mode = Mode::kStream, .batch = 7, .threads = 3}).memory().weights);
#ifdef SNNCORE_COUNTS_BLOCKS
    CHECK(blocks == weights);
#endif
  }
#ifdef SNNCORE_COUNTS_BLOCKS
  const Model model = sample::small_network({});
  const size_t blocks = blocks_of_weights(model);
  CHECK(blocks == Program(model, {}).memory().weights);
#endif
}

// What other methods read lies in vectors.
TEST_CASE("so do weights without zeros and tables") {
  const auto weights = [](runtime::SumMethod method, int zeros) {
    const runtime::Forced forced(method);
    const Model model = one_layer(4, "i16", zeros);  // laid out by its first Program
    return Program(model, {}).memory().weights;
  };
  const size_t pruned = weights(runtime::SumMethod::kGather, 6);
  CHECK(weights(runtime::SumMethod::kSparse, 6) ==
        pruned + kernels::sparse_codes(codes(4, 6).data(), 50, 1, 200).bytes());
  CHECK(weights(runtime::SumMethod::kLookUp, 6) ==
        pruned + kernels::lut_codes(codes(4, 6).data(), 50, 1, 200, kernels::kernels().lut_width).bytes());
  const kernels::SparseCodes sparse = kernels::sparse_codes(codes(4, 6).data(), 50, 1, 200);
  CHECK(sparse.bytes() ==
        4 * (sparse.codes.capacity() + sparse.places.capacity() + sparse.starts.capacity()));
  const kernels::LutCodes tables =
      kernels::lut_codes(codes(4, 6).data(), 50, 1, 200, kernels::kernels().lut_width);
  CHECK(tables.bytes() ==
        tables.tables.capacity() + 2 * tables.runs.capacity() + 4 * tables.starts.capacity());
}

}  // namespace
}  // namespace snncore
