// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/status.h>
#include <arrow/table.h>

#include <ostream>

namespace pilum::cli {

/// Prints `table` as aligned columns under a line of names. Values longer than `max_width` characters are cut
/// with "...". Numbers are flushed right. Nulls print as "null".
arrow::Status PrintTable(const arrow::Table& table, std::ostream& out, size_t max_width = 40);

}  // namespace pilum::cli
