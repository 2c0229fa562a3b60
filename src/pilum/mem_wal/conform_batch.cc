// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/conform_batch.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/util/key_value_metadata.h>

#include <optional>
#include <string>

#include "pilum/encoding/extension_storage.h"
#include "pilum/encoding/hidden_values.h"
#include "pilum/file/written_type.h"

namespace pilum {

namespace {

std::optional<std::string> FieldIdOf(const arrow::Field& field) {
  if (!field.HasMetadata() || !field.metadata()->Contains(kFieldIdMetadata)) return std::nullopt;
  return field.metadata()->Get(kFieldIdMetadata).ValueOr("");
}

/// The column of the log that is `field`, or -1.
int FindLogged(const arrow::Schema& logged, const SchemaField& field) {
  for (int i = 0; i < logged.num_fields(); ++i) {
    const auto id = FieldIdOf(*logged.field(i));
    if (id ? *id == std::to_string(field.id) : logged.field(i)->name() == field.name()) return i;
  }
  return -1;
}

/// Invalid if a column without an id is in the log only, and `added`, if any, in the table only.
arrow::Status CheckNotRenamed(const arrow::Schema& logged, const Schema& table, const SchemaField* added) {
  if (added == nullptr) return arrow::Status::OK();
  for (const auto& column : logged.fields()) {
    if (FieldIdOf(*column) || column->name() == kTombstoneColumn ||
        table.FindField(column->name()) != nullptr)
      continue;
    return arrow::Status::Invalid("the table has no column `", column->name(),
                                  "` as the log has, and the log no `", added->name(),
                                  "`: a renamed column cannot be told from a new one");
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::RecordBatch>> ConformToSchema(
    std::shared_ptr<arrow::RecordBatch> batch, const std::shared_ptr<arrow::Schema>& schema,
    FormatVersion version) {
  ARROW_ASSIGN_OR_RAISE(batch, StorageBatch(batch));
  const auto mismatch = [&](const std::string& what) {
    return arrow::Status::Invalid("schema doesn't match MemTable schema: ", what);
  };
  if (batch->num_columns() != schema->num_fields()) {
    return mismatch(std::to_string(batch->num_columns()) + " columns instead of " +
                    std::to_string(schema->num_fields()));
  }
  arrow::ArrayVector columns;
  for (int i = 0; i < schema->num_fields(); ++i) {
    const arrow::Field& wanted = *schema->field(i);
    const arrow::Field& found = *batch->schema()->field(i);
    if (found.name() != wanted.name() || !found.type()->Equals(*wanted.type())) {
      return mismatch("column " + std::to_string(i) + " is `" + found.name() + "` of type " +
                      found.type()->ToString() + " instead of `" + wanted.name() + "` of type " +
                      wanted.type()->ToString());
    }
    const auto column = WithoutHiddenValues(batch->column(i), arrow::default_memory_pool());
    if (!column.ok()) return mismatch("column `" + wanted.name() + "`: " + column.status().message());
    ARROW_RETURN_NOT_OK(CheckNulls(*(*column)->data(), wanted, version));
    columns.push_back(*column);
  }
  return arrow::RecordBatch::Make(schema, batch->num_rows(), std::move(columns));
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> ConformFromLog(std::shared_ptr<arrow::RecordBatch> batch,
                                                                  const Schema& table) {
  const auto& schema = table.arrow();
  ARROW_ASSIGN_OR_RAISE(batch, StorageBatch(batch));
  if (const auto tombstones = batch->GetColumnByName(kTombstoneColumn);
      tombstones != nullptr && tombstones->type_id() == arrow::Type::BOOL &&
      static_cast<const arrow::BooleanArray&>(*tombstones).true_count() > 0) {
    return arrow::Status::NotImplemented("deletions in the log");
  }
  arrow::ArrayVector columns;
  const SchemaField* added = nullptr;
  for (size_t i = 0; i < table.fields().size(); ++i) {
    const auto& field = schema->field(static_cast<int>(i));
    const int at = FindLogged(*batch->schema(), table.fields()[i]);
    std::shared_ptr<arrow::Array> column;
    if (at >= 0) {
      column = batch->column(at);
    } else {
      added = &table.fields()[i];
      if (!field->nullable())
        return arrow::Status::Invalid("no column `", field->name(), "`, which must not be null");
      ARROW_ASSIGN_OR_RAISE(column, arrow::MakeArrayOfNull(field->type(), batch->num_rows()));
    }
    if (!column->type()->Equals(*field->type())) {
      return arrow::Status::Invalid("column `", field->name(), "` has type ", column->type()->ToString(),
                                    " instead of ", field->type()->ToString());
    }
    // What the table's files cannot hold is in the log already: generations may be of a newer version.
    ARROW_RETURN_NOT_OK(CheckNulls(*column->data(), *field, kStableFormatVersion));
    columns.push_back(std::move(column));
  }
  ARROW_RETURN_NOT_OK(CheckNotRenamed(*batch->schema(), table, added));
  return arrow::RecordBatch::Make(schema, batch->num_rows(), std::move(columns));
}

}  // namespace pilum
