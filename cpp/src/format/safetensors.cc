#include "format/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>
#include <vector>

#include "base/align.h"
#include "base/checked.h"
#include "format/json.h"

namespace snncore::format {
namespace {

static_assert(std::endian::native == std::endian::little, "files are little-endian and used in place");

using nlohmann::json;

constexpr char kMetadata[] = "__metadata__";
constexpr size_t kLength = sizeof(uint64_t);
constexpr size_t kMaxRank = 8;

constexpr std::array<std::pair<const char*, DType>, 8> kTypes = {{{"I8", DType::kI8},
                                                                  {"U8", DType::kU8},
                                                                  {"I16", DType::kI16},
                                                                  {"I32", DType::kI32},
                                                                  {"I64", DType::kI64},
                                                                  {"U64", DType::kU64},
                                                                  {"F32", DType::kF32},
                                                                  {"F64", DType::kF64}}};

DType type_named(const JsonView& at) {
  for (const auto& [name, dtype] : kTypes) {
    if (at.name() == name) return dtype;
  }
  at.fail("must be I8, U8, I16, I32, I64, U64, F32 or F64, is '" + at.name() + "'");
}

const char* name_of(DType dtype, const std::string& what) {
  for (const auto& [name, known] : kTypes) {
    if (known == dtype) return name;
  }
  throw Error(ErrorCode::kFormat, what + ": files do not hold " + dtype_name(dtype));
}

std::string_view header_of(std::span<const std::byte> file) {
  const auto refuse = [](const std::string& message) {
    throw Error(ErrorCode::kFormat, "not a .snn file: " + message);
  };
  if (file.size() < kLength + 2) refuse("it has " + std::to_string(file.size()) + " bytes");
  uint64_t length = 0;
  std::memcpy(&length, file.data(), kLength);
  if (length > file.size() - kLength || length > kMaxHeader) {
    refuse("the header length at offset 0 is " + std::to_string(length) + ", the file has " +
           std::to_string(file.size()) + " bytes and a header at most " + std::to_string(kMaxHeader));
  }
  const std::string_view header(reinterpret_cast<const char*>(file.data()) + kLength,
                                static_cast<size_t>(length));
  if (!header.starts_with('{')) refuse("the header at offset 8 does not start with '{'");
  return header;
}

Entry read_entry(const JsonView& at, uint64_t data, uint64_t file_size) {
  at.expect_keys({"dtype", "shape", "data_offsets"});
  Entry entry;
  entry.dtype = type_named(at.at("dtype"));
  const JsonView shape = at.at("shape");
  if (shape.size() > kMaxRank) {
    shape.fail("has " + std::to_string(shape.size()) + " axes, at most " + std::to_string(kMaxRank) +
               " are known");
  }
  entry.shape = shape.integers();
  const int64_t bytes = checked_mul(element_count(entry.shape, shape.path()),
                                    static_cast<int64_t>(dtype_size(entry.dtype)), shape.path());
  if (bytes == 0) shape.fail("has no elements");

  const JsonView offsets = at.at("data_offsets");
  if (offsets.size() != 2) offsets.fail("must be [begin, end]");
  const auto most = static_cast<int64_t>(file_size - data);
  const int64_t begin = offsets.item(0).integer_in(0, most), end = offsets.item(1).integer_in(0, most);
  if (end < begin || end - begin != bytes) {
    offsets.fail("must span " + std::to_string(bytes) + " bytes, is [" + std::to_string(begin) + ", " +
                 std::to_string(end) + "]");
  }
  entry.begin = data + static_cast<uint64_t>(begin);
  entry.end = data + static_cast<uint64_t>(end);
  return entry;
}

void expect_filled(const std::vector<std::pair<Entry, std::string>>& entries, uint64_t data,
                   uint64_t file_size) {
  uint64_t at = data;
  for (const auto& [entry, name] : entries) {
    if (entry.begin != at) {
      throw Error(ErrorCode::kFormat, "tensor '" + name + "' starts at offset " +
                                          std::to_string(entry.begin) + ", the one before ends at " +
                                          std::to_string(at));
    }
    at = entry.end;
  }
  if (at != file_size) {
    throw Error(ErrorCode::kFormat, "the tensors end at offset " + std::to_string(at) + ", the file has " +
                                        std::to_string(file_size) + " bytes");
  }
}

struct Placed {
  const std::string* name;
  const tensor::Tensor* tensor;
  bool aligned;
};

std::vector<Placed> in_file_order(const std::map<std::string, tensor::Tensor>& tensors) {
  std::vector<Placed> placed;
  for (const auto& [name, tensor] : tensors) placed.push_back({&name, &tensor, tensor.bytes >= kLarge});
  const auto width = [](const Placed& p) { return p.aligned ? 0 : dtype_size(p.tensor->dtype); };
  std::ranges::stable_sort(placed, [&](const Placed& a, const Placed& b) {
    return a.aligned != b.aligned ? a.aligned : width(a) > width(b);
  });
  const auto small = std::ranges::find(placed, false, &Placed::aligned);
  if (small != placed.end()) small->aligned = true;
  return placed;
}

}  // namespace

Container read_container(std::span<const std::byte> file) {
  const std::string_view text = header_of(file);
  const json header = parse_json(text, "header");
  const uint64_t data = kLength + text.size();
  Container container;
  std::vector<std::pair<Entry, std::string>> entries;
  for (const auto& [name, value] : JsonView(header, "header").object().items()) {
    const JsonView at(value, "header." + name);
    if (name == kMetadata) {
      for (const auto& [key, text_value] : at.object().items()) {
        container.metadata[key] = JsonView(text_value, at.path() + "." + key).text();
      }
      continue;
    }
    entries.emplace_back(read_entry(at, data, file.size()), name);
    if (!name.starts_with(kPadding)) container.tensors.emplace(name, entries.back().first);
  }
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.first.begin < b.first.begin; });
  expect_filled(entries, data, file.size());
  return container;
}

ContainerPieces container_pieces(const std::map<std::string, tensor::Tensor>& tensors,
                                 const std::map<std::string, std::string>& metadata) {
  const std::vector<Placed> placed = in_file_order(tensors);
  json header = json::object();
  header[kMetadata] = metadata;
  size_t at = 0, pads = 0;
  const auto list = [&](const std::string& name, const char* dtype, const Shape& shape, size_t bytes) {
    header[name] = {{"dtype", dtype}, {"shape", shape}, {"data_offsets", {at, at + bytes}}};
    at += bytes;
  };
  for (const auto& [name, tensor, aligned] : placed) {
    if (const size_t gap = align_up(at) - at; aligned && gap != 0) {
      list(kPadding + std::to_string(pads++), "U8", {static_cast<int64_t>(gap)}, gap);
    }
    list(*name, name_of(tensor->dtype, "tensor '" + *name + "'"), tensor->shape, tensor->bytes);
  }

  std::string text = dump_json(header, "header");
  text.resize(align_up(kLength + text.size()) - kLength, ' ');
  require(text.size() <= kMaxHeader, ErrorCode::kFormat,
          "the header would have " + std::to_string(text.size()) + " bytes");
  const uint64_t length = text.size();
  ContainerPieces pieces;
  pieces.header = std::string(reinterpret_cast<const char*>(&length), kLength) + text;
  static constexpr char kZeros[kernels::kAlign] = {};
  at = 0;
  for (const auto& [name, tensor, aligned] : placed) {
    if (aligned) pieces.tensors.emplace_back(kZeros, align_up(at) - at);
    pieces.tensors.emplace_back(reinterpret_cast<const char*>(tensor->data), tensor->bytes);
    at = (aligned ? align_up(at) : at) + tensor->bytes;
  }
  return pieces;
}

std::string write_container(const std::map<std::string, tensor::Tensor>& tensors,
                            const std::map<std::string, std::string>& metadata) {
  ContainerPieces pieces = container_pieces(tensors, metadata);
  size_t bytes = pieces.header.size();
  for (const std::string_view piece : pieces.tensors) bytes += piece.size();
  std::string file = std::move(pieces.header);
  file.reserve(bytes);
  for (const std::string_view piece : pieces.tensors) file += piece;
  return file;
}

tensor::Tensor place(const Entry& entry, std::span<const std::byte> file, size_t readable,
                     const std::shared_ptr<const void>& owner) {
  const std::byte* data = file.data() + entry.begin;
  if (reinterpret_cast<uintptr_t>(data) % kernels::kAlign == 0 && entry.end + kTailPad <= readable) {
    tensor::Tensor t;
    t.dtype = entry.dtype;
    t.shape = entry.shape;
    t.data = data;
    t.bytes = static_cast<size_t>(entry.end - entry.begin);
    t.owner = owner;
    return t;
  }
  std::byte* copy = nullptr;
  tensor::Tensor t = tensor::make_tensor(entry.dtype, entry.shape, &copy);
  std::memcpy(copy, data, t.bytes);
  return t;
}

}  // namespace snncore::format
