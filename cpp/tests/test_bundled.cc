// The bundled model on the levels that this CPU has: the integer logits equal those of the PyTorch
// reference, in both modes, with one thread and two. Model, images and answers are in the program, so it runs
// on an emulated machine too.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/table.h"
#include "snncore/snncore.h"

// golden/make_bundled.py writes the two files beside it.
#define EMBED(symbol, path)                                                              \
  __asm__(                                                                               \
      ".pushsection .note.GNU-stack,\"\",%progbits\n.popsection\n"                       \
      ".pushsection .rodata\n.balign 64\n.global " #symbol "\n" #symbol                  \
      ":\n"                                                                              \
      ".incbin \"" path "\"\n.global " #symbol "_end\n" #symbol "_end:\n.popsection\n"); \
  extern "C" const std::byte symbol[], symbol##_end[];

EMBED(bundled_model, SNNCORE_BUNDLED_MODEL)
EMBED(bundled_images, SNNCORE_TEST_DIR "/golden/cifar10_vgg.images")
EMBED(bundled_logits, SNNCORE_TEST_DIR "/golden/cifar10_vgg.logits")

namespace snncore {
namespace {

constexpr size_t kImageBytes = 3 * 32 * 32, kLabels = 10, kReal = 10, kBatch = 10;
constexpr size_t kImages = kReal + 100;
#ifdef SNNCORE_TEST_THIN
constexpr bool kLastLevelOnly = true;  // an emulated machine is slow; the levels below it are run elsewhere
#else
constexpr bool kLastLevelOnly = false;
#endif

std::span<const std::byte> model_bytes() { return {bundled_model, bundled_model_end}; }

uint8_t random_pixel(uint32_t i) {
  i = (i ^ (i >> 16)) * 0x45d9f3bU;
  i = (i ^ (i >> 16)) * 0x45d9f3bU;
  return static_cast<uint8_t>(i >> 16);
}

std::vector<uint8_t> images() {
  std::vector<uint8_t> all(kImages * kImageBytes);
  std::memcpy(all.data(), bundled_images, kReal * kImageBytes);
  for (size_t i = kReal * kImageBytes; i < all.size(); ++i) {
    all[i] = random_pixel(static_cast<uint32_t>(i - kReal * kImageBytes));
  }
  return all;
}

std::vector<int32_t> expected() {
  std::vector<int32_t> all(kImages * kLabels);
  std::memcpy(all.data(), bundled_logits, all.size() * sizeof(int32_t));
  return all;
}

std::vector<int32_t> engine(const Model& model, const std::vector<uint8_t>& pixels, Mode mode, int threads) {
  Session session(model, {.mode = mode, .batch = kBatch, .threads = threads, .record = {"logits.sum"}});
  std::vector<float> outputs(kBatch * kLabels);
  std::vector<int32_t> all;
  for (size_t first = 0; first < kImages; first += kBatch) {
    session.reset();
    for (int64_t step = mode == Mode::kStream ? 0 : model.timesteps() - 1; step < model.timesteps(); ++step) {
      session.run(std::span(pixels).subspan(first * kImageBytes, kBatch * kImageBytes), outputs);
    }
    const Recording sums = session.recordings().at(0);
    for (size_t i = 0; i < kBatch * kLabels; ++i) {
      int64_t sum;
      std::memcpy(&sum, sums.data.data() + i * sizeof(sum), sizeof(sum));
      all.push_back(static_cast<int32_t>(sum));
    }
  }
  return all;
}

// The level is chosen once in a process, so each has a child; its status counts the runs that differ.
int differing_runs(const char* level) {
  const pid_t child = fork();
  if (child == 0) {
    setenv("SNNCORE_ISA", level, 1);
    if (kernels::selection_error() != nullptr) _exit(100);
    const Model model = Model::from_bytes(model_bytes());
    const auto pixels = images();
    const auto answer = expected();
    int differing = 0;
    for (const Mode mode : {Mode::kSequence, Mode::kStream}) {
      for (const int threads : {1, 2}) differing += engine(model, pixels, mode, threads) != answer;
    }
    _exit(differing);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_CASE("integer logits of the bundled model equal the reference") {
  REQUIRE(size_t(bundled_images_end - bundled_images) == kReal * kImageBytes);
  REQUIRE(size_t(bundled_logits_end - bundled_logits) >= kImages * kLabels * sizeof(int32_t));
  std::vector<size_t> levels;
  for (size_t level = 0; level < kernels::level_count(); ++level) {
    if (kernels::level_available(level)) levels.push_back(level);
  }
  if (kLastLevelOnly) levels.erase(levels.begin(), levels.end() - 1);
  for (const size_t level : levels) {
    const std::string name = kernels::level_name(level);
    CAPTURE(name);
    CHECK(differing_runs(name.c_str()) == 0);
    MESSAGE(name, ": ", kImages, " images, two modes, one thread and two");
  }
}

}  // namespace
}  // namespace snncore
