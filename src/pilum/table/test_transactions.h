// SPDX-License-Identifier: Apache-2.0
//
// Transactions for tests of this layer: fragments that no file backs.
#pragma once

#include <arrow/api.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pilum/file/format_version.h"
#include "pilum/file/schema.h"
#include "pilum/table/manifest.h"

namespace pilum {

inline std::shared_ptr<const Schema> TestTableSchema() {
  return Schema::FromArrow(
             *arrow::schema({arrow::field("id", arrow::int64(), false), arrow::field("v", arrow::utf8())}))
      .ValueOrDie();
}

/// A fragment of one data file with both columns. Its id is given by the commit.
inline lance::table::DataFragment TestFragment(uint64_t rows, FormatVersion version = kStableFormatVersion) {
  lance::table::DataFragment fragment;
  fragment.set_physical_rows(rows);
  auto* file = fragment.add_files();
  file->set_path(NewDataFileName());
  const auto [major, minor] = DataFileNumbers(version);
  file->set_file_major_version(major);
  file->set_file_minor_version(minor);
  for (int32_t i = 0; i < 2; ++i) {
    file->add_fields(i);
    file->add_column_indices(i);
  }
  return fragment;
}

inline lance::table::Transaction TestOverwrite(const std::vector<uint64_t>& rows) {
  lance::table::Transaction transaction;
  auto* overwrite = transaction.mutable_overwrite();
  TestTableSchema()->ToProto(overwrite->mutable_schema(), overwrite->mutable_schema_metadata());
  for (const uint64_t n : rows) *overwrite->add_fragments() = TestFragment(n);
  return transaction;
}

inline lance::table::Transaction TestAppend(uint64_t read_version, uint64_t rows) {
  lance::table::Transaction transaction;
  transaction.set_read_version(read_version);
  *transaction.mutable_append()->add_fragments() = TestFragment(rows);
  return transaction;
}

/// Marks one row of `fragment` as deleted.
inline lance::table::Transaction TestDelete(uint64_t read_version,
                                            const lance::table::DataFragment& fragment) {
  lance::table::Transaction transaction;
  transaction.set_read_version(read_version);
  auto* updated = transaction.mutable_delete_()->add_updated_fragments();
  *updated = fragment;
  updated->mutable_deletion_file()->set_id(1);
  updated->mutable_deletion_file()->set_read_version(read_version);
  updated->mutable_deletion_file()->set_num_deleted_rows(1);
  transaction.mutable_delete_()->set_predicate("id = 1");
  return transaction;
}

}  // namespace pilum
