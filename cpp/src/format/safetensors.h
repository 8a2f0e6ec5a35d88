// The container: named tensors and strings in one file (docs/format.md, "Rules of the container").
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/tensor.h"

namespace snncore::format {

inline constexpr uint64_t kMaxHeader = uint64_t{64} << 20;
inline constexpr char kPadding[] = "pad.";
inline constexpr size_t kLarge = 4096;

/// Where a tensor lies; offsets are from the start of the file, checked against it.
struct Entry {
  DType dtype = DType::kU8;
  Shape shape;
  uint64_t begin = 0, end = 0;
};

struct Container {
  std::map<std::string, Entry> tensors;  // without padding
  std::map<std::string, std::string> metadata;
};

/// Checks the whole header: lengths, names, types, shapes, and that tensors fill the file without gap or
/// overlap.
Container read_container(std::span<const std::byte> file);

/// The bytes of a file. Tensors of kLarge bytes and more come first, in the order of their names, each on a
/// multiple of 64 bytes; then, on one, the others without gaps: those of wider elements first, so that each
/// lies on a multiple of its element's size.
std::string write_container(const std::map<std::string, tensor::Tensor>& tensors,
                            const std::map<std::string, std::string>& metadata);

/// The same bytes in pieces, which refer to `header` and to the tensors.
struct ContainerPieces {
  std::string header;
  std::vector<std::string_view> tensors;  // and padding between them
};
ContainerPieces container_pieces(const std::map<std::string, tensor::Tensor>& tensors,
                                 const std::map<std::string, std::string>& metadata);

/// A tensor in place where its bytes are aligned and enough of them follow for kernels to read past the end,
/// up to `readable` bytes from the start of the file; else a copy.
tensor::Tensor place(const Entry& entry, std::span<const std::byte> file, size_t readable,
                     const std::shared_ptr<const void>& owner);

}  // namespace snncore::format
