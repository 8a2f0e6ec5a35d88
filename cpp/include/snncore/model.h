/// \file
/// A model as a file holds it: immutable, mapped, shared.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <snncore/error.h>
#include <snncore/tensor.h>
#include <snncore/version.h>

namespace snncore {

/// An input or output. `shape` is one step of one sample in user order: [C, H, W] or [F].
struct PortInfo {
  std::string name;
  std::string dtype;  ///< "u8" (raw pixels), "b1" (spikes), "u<p>" (counts) or "f32"
  Shape shape;
  std::string layout;  ///< inputs: the default layout, such as "NCHW" or "TNC"; outputs: "N..." or "TN..."
  std::vector<int64_t> zero_point;  ///< pixels: value = (p - zero_point[c]) * scale; empty otherwise
  double scale = 0.0;
};

/// One row of `summary`.
struct LayerInfo {
  std::string name;
  std::string op;
  std::string neuron;         ///< "lif", "if" or empty: the neuron this layer's sums go to
  Shape shape;                ///< output of one step of one sample, user order
  int weight_bits = 0;        ///< 32 for float weights, 0 for none
  int state_bits = 0;         ///< membrane bits of that neuron, 0 for none
  size_t bytes = 0;           ///< bytes of the layer's tensors in a file
  int64_t kept_channels = 0;  ///< output channels in the file
};

struct PreprocessInfo {
  int64_t height = 0, width = 0;
  std::string crop;   ///< "center" or "stretch"
  std::string color;  ///< "rgb" or "gray"
};

/// Copies share one read-only content; every member function is const and may be called from many threads.
class SNNCORE_API Model {
 public:
  /// Maps and checks a file. Throws Error(kIo) when it cannot be opened, Error(kFormat) when it is not a
  /// valid model.
  static Model load(const std::string& path);
  /// The same on bytes in memory, which must outlive the model and its copies (a model compiled into a
  /// program). Bytes that start on 64 are used in place, others are copied.
  static Model from_bytes(std::span<const std::byte> bytes);
  /// The same on bytes that the model keeps.
  static Model from_bytes(std::string bytes);

  /// Writes a temporary file beside `path`, then renames it. Throws Error(kIo).
  void save(const std::string& path) const;
  /// The bytes of a file. Format 1, which holds the same in more bytes, is for readers that know no other.
  /// Throws Error(kInvalidArgument) for a format that is none.
  [[nodiscard]] std::string to_bytes(int format = kFormatVersion) const;

  [[nodiscard]] std::vector<PortInfo> inputs() const;
  [[nodiscard]] std::vector<PortInfo> outputs() const;
  [[nodiscard]] std::vector<LayerInfo> layers() const;
  [[nodiscard]] int64_t timesteps() const noexcept;
  [[nodiscard]] const std::vector<std::string>& labels() const noexcept;
  [[nodiscard]] std::optional<PreprocessInfo> preprocess() const;
  [[nodiscard]] const std::map<std::string, std::string>& provenance() const noexcept;
  /// Bytes of the file (of the bytes it would be saved as, for a model that was built).
  [[nodiscard]] size_t file_bytes() const noexcept;
  /// The format of that file.
  [[nodiscard]] int file_format() const noexcept;
  /// The `snncore` document (docs/format.md) as JSON text, as format 1 has it: nothing left out.
  [[nodiscard]] std::string document() const;

  struct Impl;
  explicit Model(std::shared_ptr<const Impl> impl) noexcept : impl_(std::move(impl)) {}
  [[nodiscard]] const std::shared_ptr<const Impl>& impl() const noexcept { return impl_; }

 private:
  std::shared_ptr<const Impl> impl_;
};

}  // namespace snncore
