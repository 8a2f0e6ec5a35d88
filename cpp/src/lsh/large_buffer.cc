#include "lsh/large_buffer.h"

#include <cstring>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "base/align.h"

namespace snncore::lsh {
namespace {

constexpr size_t kLargePage = size_t{2} << 20;

void ask_for_large_pages([[maybe_unused]] void* data, [[maybe_unused]] size_t bytes) noexcept {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  (void)madvise(data, bytes / kLargePage * kLargePage, MADV_HUGEPAGE);  // refused: pages as ever
#endif
}

}  // namespace

LargeBuffer::LargeBuffer(size_t bytes) : size_(bytes), allocated_(align_up(bytes) + kTailPad) {
  const bool large = bytes >= kLargeFrom;
  void* data = nullptr;
  if (posix_memalign(&data, large ? kLargePage : kernels::kAlign, allocated_) != 0) throw std::bad_alloc();
  data_.reset(static_cast<std::byte*>(data));
  if (large) ask_for_large_pages(data, bytes);
  std::memset(data, 0, allocated_);
}

}  // namespace snncore::lsh
