// The .snn file: a safetensors container with one JSON document in its metadata (docs/format.md).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include <snncore/version.h>

#include "graph/graph.h"

namespace snncore::format {

struct Loaded {
  graph::Graph graph;
  size_t file_bytes = 0;
  int file_format = 0;
};

/// Maps the file (read-only, shared) and validates everything before use. Throws Error(kIo) or
/// Error(kFormat).
Loaded read_file(const std::string& path);

/// The same on bytes that the caller keeps alive through `owner` (null: the bytes outlive every use, as in
/// ROM).
Loaded read_bytes(std::span<const std::byte> bytes, std::shared_ptr<const void> owner);

/// The bytes of a file of a format; deterministic for equal graphs. Throws Error(kInvalidArgument) for a
/// format that is none, Error(kFormat) for a graph that is not valid.
std::string write_bytes(const graph::Graph& graph, int format = kFormatVersion);

/// Writes to a temporary name beside `path`, flushes, then renames. Throws Error(kIo).
void write_file(const graph::Graph& graph, const std::string& path);

}  // namespace snncore::format
