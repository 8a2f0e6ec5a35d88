// classify <model.snn> <pixels>: the label of one image, given as raw bytes in the order height, width, channel.
#include <snncore/snncore.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

int main(int argc, char** argv) try {
  if (argc != 3) throw snncore::Error(snncore::ErrorCode::kInvalidArgument, "usage: classify <model.snn> <pixels>");

  const auto model = snncore::Model::load(argv[1]);
  snncore::Session session(model, {.layout = "NHWC"});
  std::ifstream file(argv[2], std::ios::binary);
  const std::vector<uint8_t> pixels(std::istreambuf_iterator<char>(file), {});
  std::vector<float> scores(model.labels().size());
  session.run(pixels, scores);

  const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
  std::cout << best << ' ' << model.labels()[static_cast<size_t>(best)] << '\n';
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 2;
}
