// Prints the label of an image: classify net.snn image.ppm (binary PPM without comments, as large as the
// model's).
#include <snncore/snncore.h>

#include <algorithm>
#include <fstream>
#include <iostream>

int main(int argc, char** argv) try {
  if (argc != 3) throw std::runtime_error("usage: classify net.snn image.ppm");
  std::ifstream file(argv[2], std::ios::binary);
  std::string magic;
  int64_t width = 0, height = 0, maximum = 0;
  file >> magic >> width >> height >> maximum;
  const auto model = snncore::Model::load(argv[1]);
  const snncore::Shape shape = model.inputs()[0].shape;
  if (magic != "P6" || maximum != 255 || shape != snncore::Shape{3, height, width}) {
    throw std::runtime_error(std::string(argv[2]) + " is not a binary PPM image of the size " +
                             snncore::shape_string(shape) + " of the model's");
  }
  std::vector<uint8_t> pixels(static_cast<size_t>(width * height * 3));
  if (!file.ignore().read(reinterpret_cast<char*>(pixels.data()), std::ssize(pixels))) {
    throw std::runtime_error(std::string(argv[2]) + " ends before its last pixel");
  }
  auto session = snncore::Session(model, {.layout = "NHWC"});
  std::vector<float> logits(model.labels().size());
  session.run(pixels, logits);
  const auto best = std::ranges::max_element(logits) - logits.begin();
  std::cout << model.labels()[static_cast<size_t>(best)] << "\n";
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 2;
}
