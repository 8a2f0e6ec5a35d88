// A .snn file taken apart and put together again without any check, so that tests can lie in every place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace snncore::test {

inline std::span<const std::byte> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

struct Parts {
  nlohmann::json header;  // with an empty snncore string
  nlohmann::json document;
  std::string data;
  size_t data_start = 0;
  std::optional<std::string> document_text;  // instead of `document`
  std::optional<std::string> header_text;    // instead of `header` and the document
  std::optional<uint64_t> header_length;     // instead of the true one
};

inline Parts split(const std::string& file) {
  uint64_t length = 0;
  std::memcpy(&length, file.data(), sizeof length);
  Parts parts;
  parts.data_start = sizeof length + static_cast<size_t>(length);
  parts.header = nlohmann::json::parse(file.substr(sizeof length, static_cast<size_t>(length)));
  parts.document = nlohmann::json::parse(parts.header["__metadata__"]["snncore"].get<std::string>());
  parts.data = file.substr(parts.data_start);
  return parts;
}

inline std::string header_of(const Parts& parts) {
  if (parts.header_text) return *parts.header_text;
  nlohmann::json header = parts.header;
  if (header["__metadata__"].is_object() && header["__metadata__"].contains("snncore")) {
    header["__metadata__"]["snncore"] = parts.document_text ? *parts.document_text : parts.document.dump();
  }
  return header.dump();
}

/// One more tensor, after the others.
inline void append(Parts& parts, const std::string& name, const std::string& dtype,
                   const std::vector<int64_t>& shape, const std::string& data) {
  const size_t begin = parts.data.size();
  parts.header[name] = {{"dtype", dtype}, {"shape", shape}, {"data_offsets", {begin, begin + data.size()}}};
  parts.data += data;
}

inline std::string join(const Parts& parts) {
  std::string text = header_of(parts);
  text.resize((text.size() + 8 + 63) / 64 * 64 - 8, ' ');
  const uint64_t length = parts.header_length.value_or(text.size());
  std::string file(sizeof length, '\0');
  std::memcpy(file.data(), &length, sizeof length);
  return file + text + parts.data;
}

}  // namespace snncore::test
