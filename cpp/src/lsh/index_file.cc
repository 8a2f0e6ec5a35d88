// An index as a file: the container of a model, with kind "index" (docs/format.md, "An index").
#include <array>
#include <cmath>
#include <cstdio>

#include "base/checked.h"
#include "format/file.h"
#include "format/json.h"
#include "format/safetensors.h"
#include "lsh/checksum.h"
#include "lsh/index_impl.h"
#include "lsh/read_encoder.h"

namespace snncore::lsh {
namespace {

using format::JsonView;
using nlohmann::json;

constexpr char kDocument[] = "snncore";
constexpr char kChecksum[] = "checksum";
constexpr int64_t kFormat = 2;  // 1: bits in the order of the encoder, every key listed
constexpr size_t kMaxSegments = 4096;
constexpr std::array<const char*, 3> kMetrics = {"l2", "cosine", "ip"};
constexpr std::array<const char*, 4> kStores = {"none", "f32", "f16", "i8"};

template <typename Enum, size_t N>
Enum named(const JsonView& at, const std::array<const char*, N>& names) {
  for (size_t i = 0; i < N; ++i) {
    if (at.name() == names[i]) return static_cast<Enum>(i);
  }
  at.fail("'" + at.name() + "' is not known");
}

std::string checksum_of(const std::string& document, const std::map<std::string, tensor::Tensor>& tensors) {
  Checksum sum;
  sum.add(document.data(), document.size());
  for (const auto& [name, tensor] : tensors) {
    sum.add(name.data(), name.size());
    sum.add(tensor.data, tensor.bytes);
  }
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(sum.value()));
  return text;
}

json segment_sizes(const std::vector<const Segment*>& segments) {
  json sizes = json::array();
  for (const Segment* segment : segments) sizes.push_back(segment->size());
  return sizes;
}

std::string write_document(const Index::Impl& index, const std::vector<const Segment*>& segments) {
  const IndexOptions& o = index.options;
  const Grid& grid = index.all.layout().grid;
  const json document = {{"kind", "index"},
                         {"format", kFormat},
                         {"dim", o.dim},
                         {"bits", o.bits},
                         {"metric", kMetrics[static_cast<size_t>(o.metric)]},
                         {"longest", index.space.longest()},
                         {"encoder", std::string(index.encoder->kind())},
                         {"seed", o.seed},
                         {"tables", o.tables},
                         {"key_bits", o.key_bits},
                         {"store", kStores[static_cast<size_t>(o.store)]},
                         {"bytes_first", o.bytes_first},
                         {"grid", {grid.low, grid.step}},
                         {"segments", segment_sizes(segments)}};
  return format::dump_json(document, "header.__metadata__.snncore");
}

float read_float(const JsonView& at) {
  const auto value = static_cast<float>(at.number());
  if (!std::isfinite(value)) at.fail("must be a finite float32");
  return value;
}

IndexOptions read_options(const JsonView& doc) {
  IndexOptions o;
  o.dim = doc.at("dim").integer();
  o.bits = doc.at("bits").integer();
  o.metric = named<Metric>(doc.at("metric"), kMetrics);
  o.encoder = doc.at("encoder").name();
  if (!doc.at("seed").raw().is_number_unsigned()) doc.at("seed").fail("must be an integer of at least 0");
  o.seed = doc.at("seed").raw().get<uint64_t>();
  o.tables = doc.at("tables").integer();
  o.key_bits = doc.at("key_bits").integer();
  o.store = named<Store>(doc.at("store"), kStores);
  if (!doc.at("bytes_first").raw().is_boolean()) doc.at("bytes_first").fail("must be true or false");
  o.bytes_first = doc.at("bytes_first").raw().get<bool>();
  return o;
}

Grid read_grid(const JsonView& at) {
  if (at.size() != 2) at.fail("must be [low, step]");
  const Grid grid{read_float(at.item(0)), read_float(at.item(1))};
  if (!(grid.step > 0)) at.fail("must have a step above 0");
  return grid;
}

// The tensors whose names start with `prefix`, without it; they leave `tensors`.
Segment::Sections take_prefixed(std::map<std::string, tensor::Tensor>& tensors, const std::string& prefix) {
  Segment::Sections taken;
  auto at = tensors.lower_bound(prefix);
  while (at != tensors.end() && at->first.starts_with(prefix)) {
    taken.emplace(at->first.substr(prefix.size()), std::move(at->second));
    at = tensors.erase(at);
  }
  return taken;
}

void read_segments(const JsonView& sizes, std::map<std::string, tensor::Tensor>& tensors, Collection& all) {
  if (sizes.size() > kMaxSegments) sizes.fail("has too many segments");
  for (size_t i = 0; i < sizes.size(); ++i) {
    const int64_t most = static_cast<int64_t>(kMaxSlots - all.slots());
    const auto count = static_cast<size_t>(sizes.item(i).integer_in(1, most));
    all.append(count, take_prefixed(tensors, "segment." + std::to_string(i) + "."));
  }
}

std::unique_ptr<Index::Impl> read_index(const std::string& text,
                                        std::map<std::string, tensor::Tensor> tensors) {
  const json document = format::parse_json(text, "header.__metadata__.snncore");
  const JsonView doc(document, "header.__metadata__.snncore");
  const std::string& kind = doc.at("kind").name();
  if (kind != "index") doc.at("kind").fail("must be 'index', is '" + kind + "'");
  const int64_t format = doc.at("format").integer();
  if (format < 1 || format > kFormat) {
    doc.at("format").fail("is " + std::to_string(format) + ", this version knows 1 to " +
                          std::to_string(kFormat));
  }
  doc.expect_keys({"kind", "format", "dim", "bits", "metric", "longest", "encoder", "seed", "tables",
                   "key_bits", "store", "bytes_first", "grid", "segments"});
  auto index = std::make_unique<Index::Impl>(read_options(doc));
  index->space.set_longest(read_float(doc.at("longest")));
  index->all.set_grid(read_grid(doc.at("grid")));
  index->encoder = read_encoder(index->options.encoder, index->space.encoder_dim(), index->bits(),
                                take_prefixed(tensors, "encoder."));
  read_segments(doc.at("segments"), tensors, index->all);
  require(tensors.empty(), ErrorCode::kFormat,
          "tensor '" + (tensors.empty() ? "" : tensors.begin()->first) + "' belongs to nothing");
  return index;
}

std::unique_ptr<Index::Impl> open_mapped(const format::MappedFile& file, bool mmap, bool verify) {
  const format::Container container = format::read_container(file.bytes);
  const auto document = container.metadata.find(kDocument);
  require(document != container.metadata.end(), ErrorCode::kFormat,
          "a safetensors file, but not an index: header.__metadata__.snncore is missing");
  std::map<std::string, tensor::Tensor> tensors;
  for (const auto& [name, entry] : container.tensors) {
    tensors.emplace(name, format::place(entry, file.bytes, mmap ? file.readable : 0, file.owner));
  }
  if (verify) {
    const auto stored = container.metadata.find(kChecksum);
    require(stored != container.metadata.end() && stored->second == checksum_of(document->second, tensors),
            ErrorCode::kFormat, "the checksum does not fit: the file is damaged");
  }
  return read_index(document->second, std::move(tensors));
}

}  // namespace

void save_index(const Index::Impl& index, const std::string& path) {
  const std::optional<Segment> open = index.all.sealed_copy_of_open();
  std::vector<const Segment*> segments;
  for (size_t s = 0; s < index.all.segments().size() && index.all.sealed(s); ++s) {
    segments.push_back(&index.all.segments()[s]);
  }
  if (open) segments.push_back(&*open);

  std::map<std::string, tensor::Tensor> tensors;
  for (auto& [name, tensor] : index.encoder->tensors()) tensors.emplace("encoder." + name, tensor);
  for (size_t s = 0; s < segments.size(); ++s) {
    for (auto& [name, tensor] : segments[s]->sections()) {
      tensors.emplace("segment." + std::to_string(s) + "." + name, tensor);
    }
  }
  const std::string document = write_document(index, segments);
  const format::ContainerPieces pieces =
      format::container_pieces(tensors, {{kDocument, document}, {kChecksum, checksum_of(document, tensors)}});
  std::vector<std::string_view> all = {pieces.header};
  all.insert(all.end(), pieces.tensors.begin(), pieces.tensors.end());
  format::replace_file(path, all);
}

std::unique_ptr<Index::Impl> open_index(const std::string& path, bool mmap, bool verify) {
  const format::MappedFile file = format::map_file(path);
  try {
    return open_mapped(file, mmap, verify);
  } catch (const Error& error) {
    const bool of_file = error.code() == ErrorCode::kFormat || error.code() == ErrorCode::kInvalidArgument;
    throw Error(of_file ? ErrorCode::kFormat : error.code(), path + ": " + error.what());
  }
}

}  // namespace snncore::lsh
