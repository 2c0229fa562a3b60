// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/lsm_projection.h"

#include <arrow/array/util.h>

#include <set>

#include "pilum/dataset/scanner.h"
#include "pilum/encoding/json_column.h"

namespace pilum {

namespace {

constexpr char kDistanceColumn[] = "_distance";

}  // namespace

arrow::Result<LsmProjection> LsmProjection::Make(const std::shared_ptr<arrow::Schema>& schema,
                                                 const PrimaryKey& key,
                                                 const std::optional<std::vector<std::string>>& columns) {
  LsmProjection projection;
  arrow::FieldVector fields;
  std::set<std::string> seen;
  const auto add = [&](const std::string& name) -> arrow::Status {
    if (!seen.insert(name).second) return arrow::Status::Invalid("Duplicate column name: ", name);
    if (auto field = schema->GetFieldByName(name)) {
      fields.push_back(std::move(field));
      projection.table_columns_.push_back(name);
    } else if (IsSystemColumn(name)) {
      fields.push_back(arrow::field(name, arrow::uint64()));
    } else if (name != kDistanceColumn) {
      return arrow::Status::Invalid("No field named ", name, ". Valid fields are ", schema->ToString());
    }
    return arrow::Status::OK();
  };
  for (const std::string& name : columns ? *columns : schema->field_names()) ARROW_RETURN_NOT_OK(add(name));
  for (const std::string& name : key.names()) {
    if (!seen.contains(name)) ARROW_RETURN_NOT_OK(add(name));
  }
  projection.schema_ = !columns ? schema : arrow::schema(std::move(fields), schema->metadata());
  projection.shown_schema_ = WithJsonText(projection.schema_);
  return projection;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> LsmProjection::Apply(
    const std::shared_ptr<arrow::RecordBatch>& batch) const {
  if (batch->schema().get() == schema_.get()) return batch;
  arrow::ArrayVector columns;
  columns.reserve(static_cast<size_t>(schema_->num_fields()));
  for (const auto& field : schema_->fields()) {
    const int at = batch->schema()->GetFieldIndex(field->name());
    if (at >= 0) {
      columns.push_back(batch->column(at));
    } else {
      ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), arrow::MakeArrayOfNull(field->type(), batch->num_rows()));
    }
  }
  return arrow::RecordBatch::Make(schema_, batch->num_rows(), std::move(columns));
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> LsmProjection::Show(
    const std::shared_ptr<arrow::RecordBatch>& batch) const {
  if (shown_schema_ == schema_) return batch;
  return WithJsonText(batch, shown_schema_, arrow::default_memory_pool());
}

}  // namespace pilum
