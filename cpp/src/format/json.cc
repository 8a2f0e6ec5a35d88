#include "format/json.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <snncore/error.h>

#include "graph/check.h"

namespace snncore::format {
namespace {

using nlohmann::json;

/// Builds the document while the parser runs, so that limits hold before memory is spent. Returning false
/// stops the parser.
class Builder : public nlohmann::json_sax<json> {
 public:
  explicit Builder(json& root) : root_(root) {}
  [[nodiscard]] const std::string& problem() const { return problem_; }

  bool null() override { return add(nullptr) != nullptr; }
  bool boolean(bool value) override { return add(value) != nullptr; }
  bool number_integer(number_integer_t value) override { return add(value) != nullptr; }
  bool number_unsigned(number_unsigned_t value) override { return add(value) != nullptr; }
  bool number_float(number_float_t value, const string_t&) override { return add(value) != nullptr; }
  bool string(string_t& value) override { return add(std::move(value)) != nullptr; }
  bool binary(binary_t&) override { return stop("binary data"); }
  bool start_object(size_t) override { return open(json::object()); }
  bool start_array(size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (name.empty() || name.size() > kMaxName)
      return stop("a key has " + std::to_string(name.size()) + " bytes");
    if (graph::has_control(name)) return stop("a key holds a control character");
    json& object = *stack_.back();
    if (object.contains(name)) return stop("key '" + name + "' occurs twice");
    key_ = std::move(name);
    return true;
  }

  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: <why>; last read: '<their bytes>'"
    const std::string text = error.what();
    const size_t begin = text.find(": "), end = text.find("; ");
    const bool whole = begin != std::string::npos && end != std::string::npos && begin < end;
    return stop("not JSON at byte " + std::to_string(position) +
                (whole ? text.substr(begin, end - begin) : ""));
  }

 private:
  bool stop(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  json* add(json value) {
    if (++values_ > kMaxValues) {
      stop("more than " + std::to_string(kMaxValues) + " values");
      return nullptr;
    }
    if (stack_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    json& parent = *stack_.back();
    if (parent.is_object()) return &(parent[key_] = std::move(value));
    parent.push_back(std::move(value));
    return &parent.back();
  }

  bool open(json value) {
    if (stack_.size() >= kMaxDepth) return stop("more than " + std::to_string(kMaxDepth) + " levels");
    json* at = add(std::move(value));
    if (at != nullptr) stack_.push_back(at);
    return at != nullptr;
  }

  bool close() {
    stack_.pop_back();
    return true;
  }

  json& root_;
  std::vector<json*> stack_;
  std::string key_, problem_;
  size_t values_ = 0;
};

bool listed(const std::string& key, std::initializer_list<const char*> list) {
  return std::any_of(list.begin(), list.end(), [&](const char* name) { return key == name; });
}

}  // namespace

json parse_json(std::string_view text, const std::string& what) {
  json root;
  Builder builder(root);
  if (!json::sax_parse(text, &builder)) throw Error(ErrorCode::kFormat, what + ": " + builder.problem());
  return root;
}

std::string dump_json(const json& value, const std::string& what) {
  try {
    return value.dump();
  } catch (const json::exception&) {
    throw Error(ErrorCode::kFormat, what + ": a name or text is not UTF-8");
  }
}

void JsonView::fail(const std::string& message) const {
  throw Error(ErrorCode::kFormat, path_ + ": " + message);
}

const json& JsonView::object() const {
  if (!value_.is_object()) fail("must be an object");
  return value_;
}

void JsonView::expect_keys(std::initializer_list<const char*> required,
                           std::initializer_list<const char*> optional) const {
  for (const auto& [key, value] : object().items()) {
    if (!listed(key, required) && !listed(key, optional)) fail("unknown key '" + key + "'");
  }
  for (const char* key : required) {
    if (!value_.contains(key)) fail("key '" + std::string(key) + "' is missing");
  }
}

bool JsonView::has(const char* key) const {
  const auto it = object().find(key);
  return it != value_.end() && !it->is_null();
}

JsonView JsonView::at(const std::string& key) const {
  const auto it = object().find(key);
  if (it == value_.end()) fail("key '" + key + "' is missing");
  return {*it, path_ + "." + key};
}

size_t JsonView::size() const {
  if (!value_.is_array()) fail("must be a list");
  return value_.size();
}

JsonView JsonView::item(size_t i) const { return {value_[i], path_ + "[" + std::to_string(i) + "]"}; }

const std::string& JsonView::text() const {
  if (!value_.is_string()) fail("must be a string");
  return value_.get_ref<const std::string&>();
}

const std::string& JsonView::name() const {
  if (text().size() > kMaxName) {
    fail("has " + std::to_string(text().size()) + " bytes, at most 256 are allowed");
  }
  if (graph::has_control(text())) fail("holds a control character");
  return text();
}

int64_t JsonView::integer() const {
  const bool fits =
      !value_.is_number_unsigned() || value_.get<uint64_t>() <= uint64_t{std::numeric_limits<int64_t>::max()};
  if (!value_.is_number_integer() || !fits) fail("must be an integer of 64 bits");
  return value_.get<int64_t>();
}

int64_t JsonView::integer_in(int64_t lo, int64_t hi) const {
  const int64_t value = integer();
  if (value < lo || value > hi) {
    fail("must be in " + std::to_string(lo) + ".." + std::to_string(hi) + ", is " + std::to_string(value));
  }
  return value;
}

double JsonView::number() const {
  if (!value_.is_number()) fail("must be a number");
  return value_.get<double>();
}

std::vector<int64_t> JsonView::integers() const {
  std::vector<int64_t> list(size());
  for (size_t i = 0; i < list.size(); ++i) list[i] = item(i).integer();
  return list;
}

std::vector<std::string> JsonView::names() const {
  std::vector<std::string> list(size());
  for (size_t i = 0; i < list.size(); ++i) list[i] = item(i).name();
  return list;
}

}  // namespace snncore::format
