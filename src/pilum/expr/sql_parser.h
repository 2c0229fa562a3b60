// SPDX-License-Identifier: Apache-2.0
//
// The text of filters as a tree. Spec: 20-table.md §12.3.
#pragma once

#include <arrow/result.h>

#include <string>
#include <string_view>
#include <vector>

namespace pilum {

/// A node of the tree. What `text`, `negated` and the operands mean is said per kind.
struct SqlNode {
  enum Kind {
    kColumn,   ///< text: name; path below it as operands of kind kColumn
    kString,   ///< text
    kBytes,    ///< text
    kNumber,   ///< text, as written
    kBoolean,  ///< text: "true" or "false"
    kNull,
    kTyped,      ///< text: type name in lower case; one kString operand: DATE '2013-01-01'
    kUnary,      ///< text: "-" or "not"; one operand
    kBinary,     ///< text: operator; two operands. "and", "or": two or more
    kIsNull,     ///< negated; one operand
    kIsBoolean,  ///< text: "true" or "false"; negated; one operand
    kIn,         ///< negated; the value, then the list
    kBetween,    ///< negated; value, low, high
    kLike,       ///< text: "like" or "ilike"; negated; value, pattern and, with ESCAPE, the escape character
    kCast,       ///< text: type as written; negated: TRY_CAST; one operand
    kCall,       ///< text: function name in lower case; arguments
  };
  Kind kind = kNull;
  std::string text;
  bool quoted = false;  ///< kColumn: in backticks, so that case matters
  bool negated = false;
  size_t position = 0;
  std::vector<SqlNode> operands;
};

/// Parses a condition. Nesting, and the terms of one sum or product, are bounded (200). Invalid names the
/// position.
arrow::Result<SqlNode> ParseSqlCondition(std::string_view sql);

}  // namespace pilum
