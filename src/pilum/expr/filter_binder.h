// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/compute/expression.h>
#include <arrow/result.h>
#include <arrow/type.h>

#include <string_view>

#include "pilum/expr/sql_parser.h"

namespace pilum {

/// Turns a tree into a bound expression over `schema`. `sql` is for messages.
arrow::Result<arrow::compute::Expression> BindCondition(const SqlNode& node, const arrow::Schema& schema,
                                                        std::string_view sql);

}  // namespace pilum
