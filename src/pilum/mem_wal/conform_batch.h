// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <memory>

#include "pilum/file/format_version.h"
#include "pilum/file/schema.h"

namespace pilum {

/// Marks rows that are deletions (release 14).
inline constexpr char kTombstoneColumn[] = "_tombstone";

/// `batch` under exactly `schema`: its columns must have the names and types of the schema's, in order;
/// nullability and metadata may differ as long as files of `version` hold the nulls. Invalid says what
/// differs.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> ConformToSchema(
    std::shared_ptr<arrow::RecordBatch> batch, const std::shared_ptr<arrow::Schema>& schema,
    FormatVersion version);

/// The same for a batch from the log, which may have been written under another version of the table or by
/// another release: columns are matched by the field ids that release 14 records, else by name; missing ones
/// that may be null become null, others are left out. Invalid where names alone cannot tell a renamed column
/// from a dropped and an added one. NotImplemented for rows that are deletions (a true `_tombstone`, release
/// 14).
arrow::Result<std::shared_ptr<arrow::RecordBatch>> ConformFromLog(std::shared_ptr<arrow::RecordBatch> batch,
                                                                  const Schema& table);

}  // namespace pilum
