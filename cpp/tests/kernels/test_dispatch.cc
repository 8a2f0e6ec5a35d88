#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "kernels/common.h"

namespace snncore::test {
namespace {

using kernels::KernelTable;

bool complete(const KernelTable& t) {
  return t.isa && t.costs.lut_look > 0 && t.addrows_b1i8_i32 && t.prepare_count_b1 && t.count_b1b1_i32 &&
         t.sparse_b1i8_i32 && t.lut_b1i4_i32 && t.gemm_b1i8_i32 && t.gemm_u8i8_i32 && t.addrows_b1f32_f32 &&
         t.gemm_f32f32_f32 && t.gemm_f64f64_f64 && t.step_lif_coded && t.step_lif_coded8 &&
         t.step_lif_states && t.step_lif_i8 && t.step_lif_i8_lanes && t.step_lif_i16_lanes &&
         t.sparse_b1i8_lanes && t.lut_b1i4_lanes && t.lines_u8i8_lanes && t.step_lif_i16 && t.step_lif_i32 &&
         t.step_lifx_i32 && t.step_cuba_i32 && t.step_lif_f32 && t.step_psn_f32 && t.step_neuron_f32 &&
         t.run_lif_i16 && t.run_lif_i32 && t.or_rows_b1 && t.add_bits_i32 && t.pack_u8_b1 && t.pack_f32_b1 &&
         t.popcount_b1 && t.prepare_hamming_b1 && t.hamming_b1b1_hits && t.hamming_b1b1_rows &&
         t.dot_f32f32_f32 && t.squares_f32f32_f32 && t.dot_i8i8_i32 && t.squares_i8i8_u32 &&
         t.planes_of_rows_b1 && t.planes_of_columns_b1 && t.count_columns_b1_i32 && t.requant_i32_i32 &&
         t.requant_i64_i32 && t.transpose_b1 && t.gemm_b1b1_u16 && t.gemm_b1b1_b1 && t.addrows_b1u16_i32 &&
         t.count_groups_b1_i32 && t.gate_i32_b1 && t.interleave3_u8;
}

// The table is chosen once in a process, so each choice is made in a child: which ISA, and whether an error
// is told.
struct Choice {
  std::string isa, error;
};

std::string read_all(int fd) {
  std::string text;
  char buffer[256];
  for (ssize_t n; (n = read(fd, buffer, sizeof(buffer))) > 0;) text.append(buffer, static_cast<size_t>(n));
  return text;
}

Choice choose(const char* wanted) {
  int pipe_ends[2];
  REQUIRE(pipe(pipe_ends) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    if (wanted == nullptr) {
      unsetenv("SNNCORE_ISA");
    } else {
      setenv("SNNCORE_ISA", wanted, 1);
    }
    const char* error = kernels::selection_error();
    const std::string text = std::string(kernels::kernels().isa) + "\n" + (error == nullptr ? "" : error);
    const bool written = write(pipe_ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
    _exit(written ? 0 : 1);
  }
  close(pipe_ends[1]);
  const std::string text = read_all(pipe_ends[0]);
  close(pipe_ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(status == 0);
  const size_t end = text.find('\n');
  return {text.substr(0, end), text.substr(end + 1)};
}

TEST_CASE("levels: scalar comes first, every available one fills a complete table under its own name") {
  REQUIRE(kernels::level_count() >= 1);
  CHECK(std::string(kernels::level_name(0)) == "scalar");
  CHECK(kernels::level_available(0));
  for (size_t level = 0; level < kernels::level_count(); ++level) {
    KernelTable table{};
    const bool filled = kernels::level_table(level, table);
    CHECK(filled == kernels::level_available(level));
    if (!filled) continue;
    CHECK(complete(table));
    CHECK(std::string(table.isa) == kernels::level_name(level));
  }
  KernelTable table{};
  CHECK_FALSE(kernels::level_available(kernels::level_count()));
  CHECK_FALSE(kernels::level_table(kernels::level_count(), table));
  CHECK(kernels::level_name(kernels::level_count()) == nullptr);
}

TEST_CASE("the highest available level is chosen unless SNNCORE_ISA names one") {
  std::string highest;
  for (size_t level = 0; level < kernels::level_count(); ++level) {
    if (kernels::level_available(level)) highest = kernels::level_name(level);
  }
  for (const char* unset : {static_cast<const char*>(nullptr), ""}) {
    const Choice choice = choose(unset);
    CHECK(choice.isa == highest);
    CHECK(choice.error.empty());
  }
  for (size_t level = 0; level < kernels::level_count(); ++level) {
    const Choice choice = choose(kernels::level_name(level));
    const bool available = kernels::level_available(level);
    CHECK(choice.isa == (available ? kernels::level_name(level) : "scalar"));
    CHECK(choice.error.empty() == available);
  }
}

TEST_CASE("a level that nobody knows is an error that lists the levels") {
  const Choice choice = choose("sse9");
  CHECK(choice.isa == "scalar");
  CHECK(choice.error.find("'sse9'") != std::string::npos);
  CHECK(choice.error.find("scalar") != std::string::npos);
  CHECK(choose(std::string(5000, 'x').c_str()).error.size() < 256);
}

}  // namespace
}  // namespace snncore::test
