// SPDX-License-Identifier: Apache-2.0
#include "cli/table_printer.h"

#include <arrow/array.h>
#include <arrow/scalar.h>
#include <arrow/type_traits.h>

#include <algorithm>
#include <string>
#include <vector>

namespace pilum::cli {

namespace {

struct PrintedColumn {
  std::vector<std::string> cells;  // the name first
  size_t width = 0;
  bool flush_right = false;
};

arrow::Result<PrintedColumn> Format(const std::string& name, const arrow::ChunkedArray& values,
                                    size_t max_width) {
  PrintedColumn column;
  column.flush_right = arrow::is_numeric(values.type()->id());
  column.cells.push_back(name);
  for (int64_t row = 0; row < values.length(); ++row) {
    ARROW_ASSIGN_OR_RAISE(auto scalar, values.GetScalar(row));
    std::string text = scalar->is_valid ? scalar->ToString() : "null";
    if (text.size() > max_width) text = text.substr(0, max_width - 3) + "...";
    column.cells.push_back(std::move(text));
  }
  for (const auto& cell : column.cells) column.width = std::max(column.width, cell.size());
  return column;
}

void PrintRow(const std::vector<PrintedColumn>& columns, size_t row, std::ostream& out) {
  for (size_t i = 0; i < columns.size(); ++i) {
    const auto& cell = columns[i].cells[row];
    const std::string padding(columns[i].width - cell.size(), ' ');
    out << (i == 0 ? "" : "  ") << (columns[i].flush_right ? padding + cell : cell + padding);
  }
  out << '\n';
}

}  // namespace

arrow::Status PrintTable(const arrow::Table& table, std::ostream& out, size_t max_width) {
  std::vector<PrintedColumn> columns;
  for (int i = 0; i < table.num_columns(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto column, Format(table.field(i)->name(), *table.column(i), max_width));
    columns.push_back(std::move(column));
  }
  for (size_t row = 0; row <= static_cast<size_t>(table.num_rows()); ++row) PrintRow(columns, row, out);
  return arrow::Status::OK();
}

}  // namespace pilum::cli
