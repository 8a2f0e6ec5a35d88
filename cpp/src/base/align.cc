#include "base/align.h"

#include <cstring>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace snncore {
namespace {

constexpr size_t kLargePage = size_t{2} << 20;

constexpr size_t padded(size_t bytes) noexcept { return align_up(bytes) + kTailPad; }

std::byte* checked(void* block) {
  if (block == nullptr) throw std::bad_alloc();
  return static_cast<std::byte*>(block);
}

std::byte* allocate(size_t bytes) { return checked(std::aligned_alloc(kernels::kAlign, bytes)); }

// Not by aligned_alloc, which is for multiples of the alignment: the block ends within a page.
std::byte* allocate_on_large_page(size_t bytes) {
  void* block = nullptr;
  return checked(posix_memalign(&block, kLargePage, bytes) == 0 ? block : nullptr);
}

void ask_for_large_pages([[maybe_unused]] void* data, [[maybe_unused]] size_t bytes) noexcept {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  (void)madvise(data, bytes / kLargePage * kLargePage, MADV_HUGEPAGE);  // refused: pages as ever
#endif
}

}  // namespace

AlignedBuffer::AlignedBuffer(std::byte* block, size_t bytes, size_t allocated, size_t filled) noexcept
    : data_(block), size_(bytes), allocated_(allocated) {
  std::memset(block + filled, 0, allocated - filled);
}

AlignedBuffer::AlignedBuffer(size_t bytes)
    : AlignedBuffer(allocate(padded(bytes)), bytes, padded(bytes), 0) {}

AlignedBuffer AlignedBuffer::to_fill(size_t bytes) {
  return {allocate(padded(bytes)), bytes, padded(bytes), bytes};
}

AlignedBuffer AlignedBuffer::of_parts(size_t bytes) {
  return bytes == 0 ? AlignedBuffer() : AlignedBuffer(allocate(bytes), bytes, bytes, 0);
}

AlignedBuffer AlignedBuffer::in_large_pages(size_t bytes) {
  if (bytes < kLargeFrom) return AlignedBuffer(bytes);
  std::byte* block = allocate_on_large_page(padded(bytes));
  ask_for_large_pages(block, bytes);
  return {block, bytes, padded(bytes), 0};
}

}  // namespace snncore
