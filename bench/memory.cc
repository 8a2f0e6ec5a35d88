// What a model takes in memory when a program runs it once: bench_memory MODEL.snn [THREADS]. Linux.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <numeric>
#include <string>
#include <vector>

#include <snncore/snncore.h>

namespace {

// Kilobytes of a line of /proc/self/status, 0 where there is none.
long status(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name + ":")) return std::stol(line.substr(name.size() + 1));
  }
  return 0;
}

void print(const char* what, size_t bytes) {
  std::printf("%-34s %8.2f MB\n", what, static_cast<double>(bytes) / 1e6);
}

}  // namespace

int main(int count, char** arguments) {
  using namespace snncore;
  if (count < 2) {
    std::fprintf(stderr, "usage: bench_memory MODEL.snn [THREADS]\n");
    return 2;
  }
  try {
    const auto before = static_cast<size_t>(status("VmHWM")) * 1024;
    const Model model = Model::load(arguments[1]);
    const Program program(model, {.threads = count > 2 ? std::stoi(arguments[2]) : 1});
    Session session(program);
    const Shape shape = model.inputs()[0].shape;
    const int64_t values = std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
    std::vector<uint8_t> pixels(static_cast<size_t>(values));
    for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i * 2654435761U >> 24);
    std::vector<float> logits(session.output(0).size());
    session.run(pixels, logits);
    const Memory memory = program.memory();
    print("weights, as they run", memory.weights);
    print("membranes and history", memory.membranes + memory.history);
    print("values between layers", memory.values);
    print("private to threads", memory.workers);
    print("the file, which stays in memory", model.file_bytes());
    print("the program before it loads", before);
    print("peak resident size", static_cast<size_t>(status("VmHWM")) * 1024);
  } catch (const Error& problem) {
    std::fprintf(stderr, "bench_memory: %s\n", problem.what());
    return 1;
  }
  return 0;
}
