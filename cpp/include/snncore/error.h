/// \file
/// The one exception type of the library.
#pragma once

#include <stdexcept>
#include <string>

#include <snncore/version.h>

namespace snncore {

enum class ErrorCode {
  kInvalidArgument = 1,  ///< an argument outside its documented range
  kShape = 2,            ///< an array whose shape, dtype or layout does not fit
  kFormat = 3,           ///< a file that is not a valid `.snn` file; the message names the key or the offset
  kUnsupported = 4,      ///< valid, but not something this version can do
  kIo = 5,               ///< the operating system refused to open, read, map or write a file
  kState = 6,  ///< a call in the wrong order (for example more steps than a profile X model can take)
};

/// Thrown by every cold path (load, build, plan, convert, argument checks). `what()` is one sentence that
/// names the operation or layer, what was expected and what came.
class SNNCORE_API Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace snncore
