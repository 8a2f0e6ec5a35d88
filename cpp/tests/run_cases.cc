// Runs again what the Python tests ran, on another machine: the same model and input must give the same bits.
// SNNCORE_CASES names the folder that tests/python/cases.py filled; without it there is nothing to do.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <snncore/snncore.h>

namespace {

constexpr int kSkipped = 77;  // as CMakeLists.txt has it

struct Case {
  std::string layout, model, input;
  int64_t steps = 0, batch = 0;
  snncore::TensorView x;
  std::vector<float> expected;  // the outputs, one behind the other
};

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

// Lines "key value ..." up to an empty one, then model, input and outputs.
Case read_case(const std::filesystem::path& path) {
  const std::string all = read_file(path);
  const size_t end = all.find("\n\n");
  if (end == std::string::npos) throw std::runtime_error("no header");
  std::map<std::string, std::istringstream> header;
  std::istringstream lines(all.substr(0, end));
  for (std::string line, key; std::getline(lines, line);) {
    std::istringstream words(line);
    words >> key;
    header[key] = std::move(words);
  }
  Case c;
  std::string dtype;
  size_t model = 0, input = 0, outputs = 0;
  header["layout"] >> c.layout;
  header["steps"] >> c.steps;
  header["batch"] >> c.batch;
  header["dtype"] >> dtype;
  header["bytes"] >> model >> input >> outputs;
  for (int64_t n; header["shape"] >> n;) c.x.shape.push_back(n);
  if (end + 2 + model + input + outputs != all.size()) throw std::runtime_error("another size than it says");
  const char* at = all.data() + end + 2;
  c.model.assign(at, model);
  c.input.assign(at + model, input);
  c.expected.resize(outputs / sizeof(float));
  std::memcpy(c.expected.data(), at + model + input, outputs);
  for (const auto known : {snncore::DType::kBool, snncore::DType::kU8, snncore::DType::kF32}) {
    if (dtype == snncore::dtype_name(known)) c.x.dtype = known;
  }
  c.x.data = c.input.data();
  return c;
}

std::vector<std::vector<float>> outputs_of(const snncore::Session& session, size_t count) {
  std::vector<std::vector<float>> all;
  for (size_t i = 0; i < count; ++i) {
    const auto values = session.output(i);
    all.emplace_back(values.begin(), values.end());
  }
  return all;
}

void check(const std::vector<float>& ours, const float* theirs, const std::string& what) {
  if (std::memcmp(ours.data(), theirs, ours.size() * sizeof(float)) == 0) return;
  size_t i = 0;
  while (std::memcmp(&ours[i], theirs + i, sizeof(float)) == 0) ++i;
  throw std::runtime_error(what + ": value " + std::to_string(i) + " is " + std::to_string(ours[i]) +
                           ", expected " + std::to_string(theirs[i]));
}

void run_sequence(const Case& c, const snncore::Model& model, int threads) {
  snncore::Session session(model,
                           {.timesteps = c.steps, .batch = c.batch, .threads = threads, .layout = c.layout});
  session.run({&c.x, 1});
  size_t at = 0;
  for (const auto& values : outputs_of(session, model.outputs().size())) {
    if (at + values.size() > c.expected.size()) throw std::runtime_error("more outputs than expected");
    check(values, c.expected.data() + at, std::to_string(threads) + " threads");
    at += values.size();
  }
  if (at != c.expected.size()) throw std::runtime_error("fewer outputs than expected");
}

// Step by step, where the steps of the input lie behind each other; each goes on from a state that was saved.
void run_stream(const Case& c, const snncore::Model& model) {
  const bool timed = c.layout.find('T') != std::string::npos;
  if (timed && c.layout[0] != 'T') return;
  snncore::Session session(
      model,
      {.mode = snncore::Mode::kStream, .batch = c.batch, .layout = timed ? c.layout.substr(1) : c.layout});
  snncore::TensorView frame = c.x;
  if (timed) frame.shape.erase(frame.shape.begin());
  const size_t bytes = timed ? c.input.size() / static_cast<size_t>(c.steps) : 0;
  for (int64_t t = 0; t < c.steps; ++t) {
    frame.data = c.input.data() + static_cast<size_t>(t) * bytes;
    session.load_state(session.save_state());
    session.run({&frame, 1});
    const float* expected = c.expected.data();
    for (size_t i = 0; i < model.outputs().size(); ++i) {
      const auto values = session.output(i);
      const std::vector<float> now(values.begin(), values.end());
      const bool each = model.outputs()[i].layout[0] == 'T';
      if (each || t + 1 == c.steps) {
        check(now, expected + (each ? static_cast<size_t>(t) * now.size() : 0),
              "stream, step " + std::to_string(t));
      }
      expected += now.size() * (each ? static_cast<size_t>(c.steps) : 1);
    }
  }
}

// What a stream cannot do, it says.
bool streams(const Case& c, const snncore::Model& model) {
  try {
    run_stream(c, model);
    return true;
  } catch (const snncore::Error& error) {
    if (error.code() == snncore::ErrorCode::kUnsupported || error.code() == snncore::ErrorCode::kState) {
      return false;
    }
    throw;
  }
}

}  // namespace

int main() {
  const char* const folder = std::getenv("SNNCORE_CASES");
  if (folder == nullptr) return kSkipped;
  size_t count = 0, streamed = 0, failed = 0;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".case") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  for (const auto& path : paths) {
    try {
      const Case c = read_case(path);
      const auto model = snncore::Model::from_bytes(c.model);
      for (const int threads : {1, 2}) run_sequence(c, model, threads);
      streamed += streams(c, model) ? 1 : 0;
      ++count;
    } catch (const std::exception& error) {
      ++failed;
      std::printf("%s: %s\n", path.c_str(), error.what());
    }
  }
  std::printf("%s: %zu cases equal, %zu of them as streams, too; %zu differ\n", snncore::isa(), count,
              streamed, failed);
  return failed > 0 || count == 0 ? 1 : 0;
}
