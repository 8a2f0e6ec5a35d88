#include "format/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <limits>
#include <system_error>
#include <utility>

#include <snncore/error.h>

#include "base/align.h"

namespace snncore::format {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& doing) {
  throw Error(ErrorCode::kIo, path + ": cannot " + doing + ": " + std::generic_category().message(errno));
}

class File {
 public:
  File(const std::string& path, int flags) { open(path, flags); }
  ~File() { close(); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  void open(const std::string& path, int flags) { fd_ = ::open(path.c_str(), flags | O_CLOEXEC, 0666); }
  bool close() {
    const int fd = std::exchange(fd_, -1);
    return fd < 0 || ::close(fd) == 0;
  }

 private:
  int fd_ = -1;
};

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

/// Beside `path`. It may be taken, by what a killed process of the same number left.
std::string temporary_name(const std::string& path) {
  static std::atomic<unsigned> count{0};
  return path + "." + std::to_string(::getpid()) + "-" + std::to_string(count++) + ".tmp";
}

/// After a rename the directory must reach the disk too; not every file system can, so this is a wish.
void flush_directory(const std::string& path) {
  const size_t slash = path.rfind('/');
  const File directory(slash == std::string::npos ? "." : path.substr(0, slash + 1), O_RDONLY | O_DIRECTORY);
  if (directory.fd() >= 0) (void)::fsync(directory.fd());
}

}  // namespace

MappedFile map_file(const std::string& path) {
  const File file(path, O_RDONLY | O_NONBLOCK);  // a pipe must not block the open
  struct stat info {};
  if (file.fd() < 0 || ::fstat(file.fd(), &info) != 0) fail(path, "open");
  if (!S_ISREG(info.st_mode)) throw Error(ErrorCode::kIo, path + ": is not a regular file");
  if (info.st_size == 0) throw Error(ErrorCode::kFormat, path + ": not a .snn file: it has 0 bytes");
  if (static_cast<uint64_t>(info.st_size) > std::numeric_limits<size_t>::max() / 2) {
    throw Error(ErrorCode::kIo, path + ": is too large for this machine's address space");
  }
  const auto size = static_cast<size_t>(info.st_size);
  void* base = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.fd(), 0);
  if (base == MAP_FAILED) fail(path, "map");
  MappedFile mapped;
  mapped.owner = std::shared_ptr<const void>(base, [size](void* p) { ::munmap(p, size); });
  mapped.bytes = {static_cast<const std::byte*>(base), size};
  mapped.readable = align_up(size, static_cast<size_t>(::sysconf(_SC_PAGESIZE)));
  return mapped;
}

void replace_file(const std::string& path, std::span<const std::string_view> pieces) {
  constexpr int kTries = 1000;
  constexpr int kNew = O_WRONLY | O_CREAT | O_EXCL;
  std::string temporary = temporary_name(path);
  File file(temporary, kNew);
  for (int tries = 1; file.fd() < 0 && errno == EEXIST && tries < kTries; ++tries) {
    temporary = temporary_name(path);
    file.open(temporary, kNew);
  }
  if (file.fd() < 0) fail(path, "write");
  const bool all =
      std::ranges::all_of(pieces, [&](std::string_view piece) { return write_all(file.fd(), piece); });
  const bool written = all && ::fsync(file.fd()) == 0 && file.close();
  if (!written || std::rename(temporary.c_str(), path.c_str()) != 0) {
    const int reason = errno;
    ::unlink(temporary.c_str());
    errno = reason;
    fail(path, "write");
  }
  flush_directory(path);
}

}  // namespace snncore::format
