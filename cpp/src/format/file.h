// Files, as the operating system gives and takes them. Everything throws Error(kIo) with the path and the
// reason.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace snncore::format {

struct MappedFile {
  std::span<const std::byte> bytes;
  size_t readable = 0;                // bytes that may be read from the start: up to the end of the last page
  std::shared_ptr<const void> owner;  // unmaps
};

/// Maps a regular file read-only.
MappedFile map_file(const std::string& path);

/// Writes to a temporary name beside `path`, flushes, then renames: `path` holds the old or the new bytes,
/// never a part.
void replace_file(const std::string& path, std::span<const std::string_view> pieces);
inline void replace_file(const std::string& path, std::string_view bytes) {
  replace_file(path, std::span(&bytes, 1));
}

}  // namespace snncore::format
