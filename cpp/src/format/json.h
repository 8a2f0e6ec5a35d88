// JSON from strangers: parsed under limits, and read by keys that are all known. Every failure is
// Error(kFormat) with a path.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace snncore::format {

inline constexpr size_t kMaxDepth = 32;
inline constexpr size_t kMaxValues = size_t{1} << 20;
inline constexpr size_t kMaxName = 256;

/// Refuses what is not JSON or not UTF-8, keys that occur twice or are longer than kMaxName bytes, more than
/// kMaxDepth levels and more than kMaxValues values.
nlohmann::json parse_json(std::string_view text, const std::string& what);

/// Compact JSON with sorted keys; refuses text that is not UTF-8.
std::string dump_json(const nlohmann::json& value, const std::string& what);

/// A value and the path that leads to it.
class JsonView {
 public:
  JsonView(const nlohmann::json& value, std::string path) : value_(value), path_(std::move(path)) {}

  [[noreturn]] void fail(const std::string& message) const;

  /// An object with all keys of `required`, and any of `optional`.
  void expect_keys(std::initializer_list<const char*> required,
                   std::initializer_list<const char*> optional = {}) const;
  [[nodiscard]] bool has(const char* key) const;  // present and not null
  [[nodiscard]] JsonView at(const std::string& key) const;
  [[nodiscard]] const nlohmann::json& object() const;

  [[nodiscard]] size_t size() const;  // of a list
  [[nodiscard]] JsonView item(size_t i) const;

  [[nodiscard]] const std::string& text() const;
  [[nodiscard]] const std::string& name() const;  // text of at most kMaxName bytes
  [[nodiscard]] int64_t integer() const;
  [[nodiscard]] int64_t integer_in(int64_t lo, int64_t hi) const;
  [[nodiscard]] double number() const;
  [[nodiscard]] std::vector<int64_t> integers() const;
  [[nodiscard]] std::vector<std::string> names() const;

  [[nodiscard]] const nlohmann::json& raw() const { return value_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  const nlohmann::json& value_;
  std::string path_;
};

}  // namespace snncore::format
