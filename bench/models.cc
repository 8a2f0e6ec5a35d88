// What models take in a C++ program, one image of random bytes, one thread, in turns:
//   bench_models MODEL.snn [MODEL.snn ...]
// prints medians in microseconds, how many times as fast as the first each is, and the milliseconds that the
// file takes to load, checked and mapped.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include <snncore/snncore.h>

#include "machine.h"

namespace {

constexpr int kTurns = 200, kRuns = 50, kLoads = 15;

double median_of(std::vector<double>& times) {
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

double load_ms(const std::string& path) {
  std::vector<double> times;
  for (int i = 0; i < kLoads; ++i) {
    const double start = snncore::bench::cpu_ns();
    (void)snncore::Model::load(path);
    times.push_back((snncore::bench::cpu_ns() - start) / 1e6);
  }
  return median_of(times);
}

class Subject {
 public:
  explicit Subject(const std::string& path)
      : session_(snncore::Program(snncore::Model::load(path), {})), logits_(session_.output(0).size()) {
    const snncore::Shape shape = snncore::Model::load(path).inputs()[0].shape;
    const int64_t values = std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
    pixels_.resize(static_cast<size_t>(values));
    for (size_t i = 0; i < pixels_.size(); ++i) pixels_[i] = static_cast<uint8_t>(i * 2654435761U >> 24);
  }

  // The first run of a turn finds caches as another model left them.
  void turn() {
    session_.run(pixels_, logits_);
    const double start = snncore::bench::cpu_ns();
    for (int i = 0; i < kRuns; ++i) session_.run(pixels_, logits_);
    times_.push_back((snncore::bench::cpu_ns() - start) / kRuns / 1e3);
  }
  [[nodiscard]] double median() { return median_of(times_); }

 private:
  snncore::Session session_;
  std::vector<uint8_t> pixels_;
  std::vector<float> logits_;
  std::vector<double> times_;
};

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "usage: bench_models MODEL.snn [MODEL.snn ...]\n");
    return 2;
  }
  try {
    std::vector<Subject> subjects;
    for (int i = 1; i < count; ++i) subjects.emplace_back(arguments[i]);
    for (int turn = 0; turn < kTurns; ++turn) {
      for (Subject& subject : subjects) subject.turn();
    }
    const double first = subjects[0].median();
    std::printf("kernels %s\n%12s %8s %9s\n", snncore::isa(), "microseconds", "times", "load, ms");
    for (size_t i = 0; i < subjects.size(); ++i) {
      const double spent = subjects[i].median();
      std::printf("%12.2f %8.2f %9.2f  %s\n", spent, first / spent, load_ms(arguments[i + 1]),
                  arguments[i + 1]);
    }
  } catch (const snncore::Error& problem) {
    std::fprintf(stderr, "bench_models: %s\n", problem.what());
    return 2;
  }
  return 0;
}
