// From the nearest codes to the nearest vectors, each stage dearer and for fewer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <snncore/lsh.h>

#include "lsh/allowed.h"
#include "lsh/ranked.h"

namespace snncore::lsh {

/// How many slots each stage keeps; 0: the stage is left out.
struct Stages {
  size_t codes = 0, asymmetric = 0, bytes = 0;
  bool exact = false;
  size_t results = 0;

  Stages(const Layout& layout, const SearchOptions& options, size_t slots);
};

struct Query {
  const float* row;      // [dim]
  const float* logits;   // [bits]
  const uint64_t* code;  // [words]
};

/// Ranks lists of slots for one query at a time; one for each worker.
class Ranker {
 public:
  Ranker(const Collection& all, const Allowed& allowed, const Stages& stages);

  /// `list`, the nearest codes, becomes the results in order.
  void operator()(const Query& query, std::vector<Ranked>& list);
  /// The distance that a rank of the results stands for.
  [[nodiscard]] float distance(Ranked r) const noexcept;

 private:
  void rank_asymmetric(const Query& query, std::vector<Ranked>& list);
  void rank_bytes(const Query& query, std::vector<Ranked>& list);
  void rank_exact(const Query& query, std::vector<Ranked>& list);

  const Collection& all_;
  const Allowed& allowed_;
  Stages stages_;
  std::vector<float> sums_, row_;
  std::vector<int8_t> bytes_;
  std::vector<uint64_t> code_;
};

}  // namespace snncore::lsh
