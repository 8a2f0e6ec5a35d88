// The .snn file: a safetensors container with one JSON document in its metadata (docs/format.md).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "graph/graph.h"

namespace snncore::format {

struct Loaded {
  graph::Graph graph;
  size_t file_bytes = 0;
};

/// Maps the file (read-only, shared) and validates everything before use. Throws Error(kIo) or
/// Error(kFormat).
Loaded read_file(const std::string& path);

/// The same on bytes that the caller keeps alive through `owner` (null: the bytes outlive every use, as in
/// ROM).
Loaded read_bytes(std::span<const std::byte> bytes, std::shared_ptr<const void> owner);

/// The bytes of a file; deterministic for equal graphs.
std::string write_bytes(const graph::Graph& graph);

/// Writes to a temporary name beside `path`, flushes, then renames. Throws Error(kIo).
void write_file(const graph::Graph& graph, const std::string& path);

}  // namespace snncore::format
