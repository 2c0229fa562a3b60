// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/status.h>

#include <memory>
#include <string>
#include <string_view>

namespace pilum {

/// How deep arrays and objects may be nested in what is written: 8.0.0 overflows its stack while it reads
/// values somewhere between 3000 and 10000 levels.
inline constexpr int kMaxJsonDepth = 1000;

/// Turns JSON text into JSONB (jsonb_format.h). Keeps its buffers from value to value. One thread at a time.
class JsonbEncoder {
 public:
  JsonbEncoder();
  ~JsonbEncoder();

  /// Appends the JSONB of `text` to `to`: JSON as in RFC 8259, and NaN, Infinity and -Infinity, which Python
  /// writes. No text is null. Integers that do not fit 64 bits become doubles. Invalid, naming the byte, for
  /// other text, keys that repeat, numbers that no double holds, and nesting beyond kMaxJsonDepth; then `to`
  /// is as before.
  arrow::Status Append(std::string_view text, std::string* to);

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace pilum
