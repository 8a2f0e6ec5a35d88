// Ways in which a container file can be wrong, one drawn after the other.
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "container_parts.h"
#include "kernels/common.h"

namespace snncore::test {

/// A file and its parts, which every mutation begins with.
class Mutations {
 public:
  explicit Mutations(std::string file) : file_(std::move(file)), parts_(split(file_)) {
    for (const auto& [name, entry] : parts_.header.items()) {
      if (name == "__metadata__") continue;
      const size_t begin = entry["data_offsets"][0], end = entry["data_offsets"][1];
      sections_.push_back({name, begin, end, name.starts_with("pad.")});
    }
  }

  [[nodiscard]] const std::string& file() const { return file_; }

  std::string draw(Random& random) const {
    static constexpr std::string (Mutations::*kKinds[])(Random&) const = {
        &Mutations::flipped, &Mutations::resized,   &Mutations::document_edited, &Mutations::entry_edited,
        &Mutations::poked,   &Mutations::stretched, &Mutations::header_damaged};
    return (this->*random.pick(kKinds))(random);
  }

  /// Whether a file has this one's header and other data where a section lies.
  [[nodiscard]] bool other_data(const std::string& bytes) const {
    if (bytes.size() != file_.size() ||
        bytes.compare(0, parts_.data_start, file_, 0, parts_.data_start) != 0) {
      return false;
    }
    for (const Section& s : sections_) {
      if (!s.padding && bytes.compare(parts_.data_start + s.begin, s.end - s.begin, file_,
                                      parts_.data_start + s.begin, s.end - s.begin) != 0) {
        return true;
      }
    }
    return false;
  }

 private:
  struct Section {
    std::string name;
    size_t begin, end;
    bool padding;
  };

  [[nodiscard]] const Section& any_section(Random& random) const {
    return sections_[random.size(0, sections_.size() - 1)];
  }

  // One to three bits or bytes; half of the changes hit the header, which is a small part of the file.
  std::string flipped(Random& random) const {
    std::string bytes = file_;
    for (size_t changes = random.size(1, 3); changes > 0; --changes) {
      char& at = bytes[random.size(0, (random.chance(0.5) ? parts_.data_start : bytes.size()) - 1)];
      at = static_cast<char>(random.chance(0.5) ? at ^ 1 << random.size(0, 7) : random.in(0, 255));
    }
    return bytes;
  }

  // Cut anywhere, or longer by a little or by as much again.
  std::string resized(Random& random) const {
    if (random.chance(0.6)) return file_.substr(0, random.size(0, file_.size() - 1));
    std::string more(random.size(1, random.chance(0.5) ? 64 : file_.size()), '\0');
    if (random.chance(0.5)) more.assign(file_, 0, more.size());
    return file_ + more;
  }

  // A number of the document is another, or a value of another kind, or a key is gone, new or twice.
  std::string document_edited(Random& random) const {
    Parts parts = parts_;
    nlohmann::json* at = &parts.document;
    std::string key = pick_key(random, *at);
    if ((*at)[key].is_array() && !(*at)[key].empty() && random.chance(0.7)) {
      nlohmann::json& item = (*at)[key][random.size(0, (*at)[key].size() - 1)];
      item = odd_value(random, item);
    } else if (random.chance(0.1)) {
      at->erase(key);
    } else if (random.chance(0.1)) {
      (*at)[key + "s"] = odd_value(random, (*at)[key]);
    } else {
      (*at)[key] = odd_value(random, (*at)[key]);
    }
    return join(parts);
  }

  // A section has another type, shape, place or name, or what another section has.
  std::string entry_edited(Random& random) const {
    Parts parts = parts_;
    const std::string name = any_section(random).name, other = any_section(random).name;
    nlohmann::json& entry = parts.header[name];
    switch (random.size(0, 5)) {
      case 0:
        entry["dtype"] = random.pick({"U8", "I8", "I16", "I32", "U64", "F32", "F64", "BOOL", ""});
        break;
      case 1:
        entry["shape"][0] = odd_value(random, entry["shape"][0]);
        break;
      case 2:
        entry["data_offsets"][random.size(0, 1)] = odd_value(random, entry["data_offsets"][0]);
        break;
      case 3:
        std::swap(parts.header[name], parts.header[other]);
        break;
      case 4:
        std::swap(entry["shape"], parts.header[other]["shape"]);
        break;
      default:
        if (random.chance(0.5)) parts.header[name + "x"] = entry;
        parts.header.erase(name);
    }
    return join(parts);
  }

  // A word inside a section is what an index fears: 0, all ones, one more, much more, not a number.
  std::string poked(Random& random) const {
    std::string bytes = file_;
    for (size_t changes = random.size(1, 4); changes > 0; --changes) {
      const Section& s = any_section(random);
      const size_t width = random.chance(0.5) ? 4 : 8;
      if (s.end - s.begin < width) continue;
      const size_t at = parts_.data_start + s.begin + random.size(0, (s.end - s.begin) / width - 1) * width;
      uint64_t word = 0;
      std::memcpy(&word, bytes.data() + at, width);
      const uint64_t odd[] = {0,
                              ~uint64_t{0},
                              word + 1,
                              word - 1,
                              word << 8,
                              random.next(),
                              0x7fc000007fc00000,
                              0x7f8000007f800000,
                              0x8000000080000000,
                              1 << 20};
      word = random.pick(odd);
      std::memcpy(bytes.data() + at, &word, width);
    }
    return bytes;
  }

  // A section is longer or shorter by whole rows, and all that follows has moved: the container is sound.
  std::string stretched(Random& random) const {
    Parts parts = parts_;
    const Section& s = any_section(random);
    nlohmann::json& entry = parts.header[s.name];
    const auto rows = entry["shape"][0].get<int64_t>();
    const auto row = (s.end - s.begin) / static_cast<size_t>(rows);
    const int64_t now = random.chance(0.5) ? rows + random.in(-2, 2) : random.in(0, 3 * rows);
    if (now < 0) return join(parts);
    const auto size = static_cast<size_t>(now) * row;
    std::string content = parts.data.substr(s.begin, std::min(size, s.end - s.begin));
    content.resize(size, static_cast<char>(random.in(0, 255)));
    parts.data.replace(s.begin, s.end - s.begin, content);
    entry["shape"][0] = now;
    for (const Section& each : sections_) {
      nlohmann::json& offsets = parts.header[each.name]["data_offsets"];
      if (each.begin > s.begin) offsets[0] = each.begin + size - (s.end - s.begin);
      if (each.begin >= s.begin) offsets[1] = each.end + size - (s.end - s.begin);
    }
    return join(parts);
  }

  // A header that ends elsewhere than it says, or is no longer text of JSON.
  std::string header_damaged(Random& random) const {
    Parts parts = parts_;
    std::string text = header_of(parts);
    switch (random.size(0, 2)) {
      case 0:
        parts.header_length = random.chance(0.5) ? random.next() : random.size(0, 2 * text.size());
        break;
      case 1:
        parts.header_text = text.substr(0, random.size(0, text.size()));
        break;
      default: {
        const size_t from = random.size(0, text.size() - 1), to = random.size(0, text.size() - 1);
        parts.header_text = text.replace(to, random.size(0, 30), text.substr(from, random.size(0, 30)));
      }
    }
    return join(parts);
  }

  static std::string pick_key(Random& random, const nlohmann::json& object) {
    auto at = object.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(random.size(0, object.size() - 1)));
    return at.key();
  }

  static nlohmann::json odd_value(Random& random, const nlohmann::json& was) {
    if (was.is_number_integer() && random.chance(0.7)) {
      const auto value = was.get<int64_t>();
      const int64_t near[] = {0,
                              1,
                              -1,
                              value + 1,
                              value - 1,
                              value * 2,
                              value / 2,
                              64,
                              4096,
                              int64_t{1} << 31,
                              std::numeric_limits<int64_t>::max(),
                              std::numeric_limits<int64_t>::min()};
      return random.pick(near);
    }
    const nlohmann::json others[] = {nullptr,
                                     true,
                                     0,
                                     -1,
                                     0.5,
                                     1e300,
                                     -0.0,
                                     "itq",
                                     "l2",
                                     "srp",
                                     "mlp",
                                     "f16",
                                     "none",
                                     "",
                                     nlohmann::json::array(),
                                     nlohmann::json::object(),
                                     std::numeric_limits<uint64_t>::max()};
    return others[random.size(0, std::size(others) - 1)];
  }

  std::string file_;
  Parts parts_;
  std::vector<Section> sections_;
};

}  // namespace snncore::test
