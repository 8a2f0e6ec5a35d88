#include "runtime/saccade_step.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/align.h"
#include "kernels/table.h"

namespace snncore::runtime {
namespace {

using kernels::kernels;

// chunk = (sample, image row), with all steps: a patch needs its own past alone. Lane: what is added up, its
// weights, and the chunk's counts where no other step makes them, [step][patch].
class SaccadeStep final : public Step {
 public:
  SaccadeStep(Saccade saccade, std::variant<Slot, HeadCounts> q, const Slot& out)
      : saccade_(std::move(saccade)), q_(std::move(q)), out_(out), most_(saccade_.threshold.size()) {}

  [[nodiscard]] size_t chunks() const noexcept override { return out_.batch * out_.height; }
  [[nodiscard]] size_t lane_bytes() const noexcept override {
    const auto* counts = std::get_if<HeadCounts>(&q_);
    return term_bytes() + weight_bytes() +
           (counts == nullptr ? 0 : out_.steps * out_.width * counts->pitch() * sizeof(int32_t));
  }

  void run(const Frame& f, size_t chunk, std::byte* lane) const noexcept override {
    const Patches patches{chunk / out_.height, chunk % out_.height * out_.width};
    auto* const terms = reinterpret_cast<kernels::GateTerm*>(lane);
    const size_t before = saccade_.q_state ? static_cast<size_t>(f.steps_before) : 0;
    for (size_t j = 0; j < before; ++j) {
      terms[j] = {kept(f, out_, *saccade_.q_state, j, patches.n, patches.first), out_.channels, nullptr};
    }
    auto* const counts = reinterpret_cast<int32_t*>(lane + term_bytes() + weight_bytes());
    for (size_t t = 0; t < out_.steps; ++t) {
      terms[before + t] = count(f, t, patches, counts);
      if (saccade_.q_state) keep(f, terms[before + t], before + t, patches);
    }
    auto* const weights = reinterpret_cast<double*>(lane + term_bytes());
    for (size_t t = 0; t < out_.steps; ++t) gate(f, before, t, patches, terms, weights);
  }

 private:
  struct Patches {
    size_t n, first;
  };

  [[nodiscard]] size_t term_bytes() const noexcept { return align_up(most_ * sizeof(kernels::GateTerm)); }
  [[nodiscard]] size_t weight_bytes() const noexcept {
    return align_up(most_ * out_.channels * sizeof(double));
  }

  [[nodiscard]] kernels::GateTerm count(const Frame& f, size_t t, const Patches& patches,
                                        int32_t* counts) const noexcept {
    if (const Slot* q = std::get_if<Slot>(&q_)) {
      return {q->row<int32_t>(f, t, patches.n, patches.first), q->row_bytes / sizeof(int32_t), nullptr};
    }
    const auto& q = std::get<HeadCounts>(q_);
    int32_t* const rows = counts + t * out_.width * q.pitch();
    q.write(f, t, patches.n, patches.first, out_.width, rows, q.pitch());
    return {rows, q.pitch(), nullptr};
  }

  [[nodiscard]] int32_t* kept(const Frame& f, const Slot& like, size_t state, size_t step, size_t n,
                              size_t p) const noexcept {
    return reinterpret_cast<int32_t*>(f.state + state) +
           ((step * like.batch + n) * like.pixels + p) * like.channels;
  }

  void keep(const Frame& f, const kernels::GateTerm& counts, size_t step,
            const Patches& patches) const noexcept {
    int32_t* to = kept(f, out_, *saccade_.q_state, step, patches.n, patches.first);
    for (size_t p = 0; p < out_.width; ++p, to += out_.channels) {
      std::copy_n(counts.sums + p * counts.stride, out_.channels, to);
    }
    if (!saccade_.kappa_state || patches.first != 0) return;
    const size_t t = step - static_cast<size_t>(f.steps_before);
    std::copy_n(saccade_.kappa->row<int32_t>(f, t, patches.n, 0), out_.channels,
                kept(f, *saccade_.kappa, *saccade_.kappa_state, step, patches.n, 0));
  }

  // Where nothing mixes, the present step alone counts.
  void gate(const Frame& f, size_t before, size_t t, const Patches& patches, kernels::GateTerm* terms,
            double* weights) const noexcept {
    const size_t now = before + t, first = saccade_.mix.empty() ? now : 0;
    for (size_t j = first; j <= now; ++j, weights += out_.channels) {
      const double mix = saccade_.mix.empty() ? 1.0 : saccade_.mix[now * most_ + j];
      std::fill_n(weights, out_.channels, mix);
      if (saccade_.kappa) scale(kappa(f, before, j, patches.n), weights);
      terms[j].weights = weights;
    }
    kernels().gate_i32_b1({terms + first, now + 1 - first, saccade_.threshold[now], out_.width, out_.channels,
                           out_.row<uint64_t>(f, t, patches.n, patches.first)});
  }

  void scale(const int32_t* kappa, double* weights) const noexcept {
    for (size_t c = 0; c < out_.channels; ++c) weights[c] *= kappa[c];
  }

  // The sums of a step since the start: of this run, or kept from one before. Those of this run are never
  // read from the state, where another chunk may be writing them.
  [[nodiscard]] const int32_t* kappa(const Frame& f, size_t before, size_t step, size_t n) const noexcept {
    const Slot& sums = *saccade_.kappa;
    return step >= before ? sums.row<int32_t>(f, step - before, n, 0)
                          : kept(f, sums, *saccade_.kappa_state, step, n, 0);
  }

  Saccade saccade_;
  std::variant<Slot, HeadCounts> q_;
  Slot out_;
  size_t most_;
};

}  // namespace

size_t saccade_state_bytes(const Slot& sums, size_t steps) noexcept {
  return align_up(steps * sums.batch * sums.pixels * sums.channels * sizeof(int32_t));
}

std::unique_ptr<Step> saccade_step(Saccade saccade, const Slot& q, const Slot& out) {
  return std::make_unique<SaccadeStep>(std::move(saccade), q, out);
}

std::unique_ptr<Step> saccade_step(Saccade saccade, HeadCounts q, const Slot& out) {
  return std::make_unique<SaccadeStep>(std::move(saccade), std::move(q), out);
}

}  // namespace snncore::runtime
