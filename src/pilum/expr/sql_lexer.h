// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/result.h>

#include <string>
#include <string_view>
#include <vector>

namespace pilum {

struct SqlToken {
  enum Kind {
    kWord,        ///< keyword or bare identifier, as written
    kIdentifier,  ///< `in backticks`, without them
    kString,      ///< 'text' or "text", unescaped
    kBytes,       ///< X'hex', the bytes
    kNumber,      ///< as written
    kSymbol,      ///< operator or punctuation
    kEnd,
  };
  Kind kind = kEnd;
  std::string text;
  size_t position = 0;  ///< of the first character, from 0

  bool IsSymbol(std::string_view symbol) const { return kind == kSymbol && text == symbol; }
  /// ASCII case does not matter. `keyword` is in capitals.
  bool IsKeyword(std::string_view keyword) const;
};

/// Tokens of `sql`, the last one kEnd. Invalid names the position of what is no token.
arrow::Result<std::vector<SqlToken>> TokenizeSql(std::string_view sql);

/// Invalid: "<what> at position <n> of filter: <sql>".
arrow::Status SqlError(std::string_view sql, size_t position, std::string_view what);

}  // namespace pilum
