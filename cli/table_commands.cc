// SPDX-License-Identifier: Apache-2.0
#include "cli/table_commands.h"

#include "cli/table_printer.h"
#include "pilum/dataset/dataset.h"
#include "pilum/dataset/scanner.h"

namespace pilum::cli {

namespace {

std::optional<std::vector<std::string>> ColumnsOrAll(const std::vector<std::string>& columns) {
  if (columns.empty()) return std::nullopt;
  return columns;
}

}  // namespace

arrow::Result<std::shared_ptr<Dataset>> Open(const TableArguments& table) {
  OpenOptions options;
  options.version = table.version;
  return Dataset::Open(table.uri, options);
}

arrow::Status Info(const TableArguments& table, std::ostream& out) {
  ARROW_ASSIGN_OR_RAISE(auto dataset, Open(table));
  ARROW_ASSIGN_OR_RAISE(const int64_t num_rows, dataset->CountRows());
  ARROW_ASSIGN_OR_RAISE(const auto versions, dataset->Versions());
  const Manifest& manifest = dataset->manifest();
  int64_t num_files = 0, num_bytes = 0, num_deleted = 0;
  for (const auto& fragment : manifest.fragments()) {
    num_files += fragment.files_size();
    for (const auto& file : fragment.files()) num_bytes += static_cast<int64_t>(file.file_size_bytes());
    num_deleted += static_cast<int64_t>(fragment.deletion_file().num_deleted_rows());
  }
  out << "table           " << dataset->uri() << '\n'
      << "version         " << dataset->version() << " of " << versions.size() << " kept\n"
      << "rows            " << num_rows << " (" << num_deleted << " deleted)\n"
      << "columns         " << dataset->schema()->num_fields() << '\n'
      << "fragments       " << manifest.fragments().size() << '\n'
      << "data files      " << num_files << ", " << num_bytes << " bytes\n"
      << "storage version " << ToString(manifest.data_version) << '\n';
  for (const auto& index : manifest.indexes.indices()) out << "index           " << index.name() << '\n';
  return arrow::Status::OK();
}

arrow::Status PrintSchema(const TableArguments& table, std::ostream& out) {
  ARROW_ASSIGN_OR_RAISE(auto dataset, Open(table));
  for (const SchemaField& field : dataset->lance_schema()->fields()) {
    out << field.name() << ": " << field.arrow->type()->ToString()
        << (field.arrow->nullable() ? "" : " not null") << (field.primary_key_position ? " primary key" : "")
        << '\n';
  }
  return arrow::Status::OK();
}

arrow::Status Count(const TableArguments& table, const std::string& filter, std::ostream& out) {
  ARROW_ASSIGN_OR_RAISE(auto dataset, Open(table));
  ARROW_ASSIGN_OR_RAISE(const int64_t num_rows, dataset->CountRows(filter));
  out << num_rows << '\n';
  return arrow::Status::OK();
}

arrow::Status Head(const TableArguments& table, int64_t num_rows, const std::string& filter,
                   const std::vector<std::string>& columns, std::ostream& out) {
  ARROW_ASSIGN_OR_RAISE(auto dataset, Open(table));
  ScanOptions options;
  options.columns = ColumnsOrAll(columns);
  options.filter = filter;
  options.limit = num_rows;
  ARROW_ASSIGN_OR_RAISE(auto scanner, dataset->NewScan(options));
  ARROW_ASSIGN_OR_RAISE(auto rows, scanner->ToTable());
  return PrintTable(*rows, out);
}

arrow::Status Take(const TableArguments& table, const std::vector<int64_t>& offsets,
                   const std::vector<std::string>& columns, std::ostream& out) {
  ARROW_ASSIGN_OR_RAISE(auto dataset, Open(table));
  ARROW_ASSIGN_OR_RAISE(auto rows, dataset->Take(offsets, columns));
  return PrintTable(*rows, out);
}

}  // namespace pilum::cli
