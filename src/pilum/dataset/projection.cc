// SPDX-License-Identifier: Apache-2.0
#include "pilum/dataset/projection.h"

#include <algorithm>
#include <set>
#include <utility>

#include "pilum/dataset/scanner.h"
#include "pilum/encoding/json_column.h"

namespace pilum {

bool IsSystemColumn(std::string_view name) {
  return name == kRowIdColumn || name == kRowAddressColumn || name == kRowOffsetColumn ||
         name == kCreatedAtVersionColumn || name == kLastUpdatedAtVersionColumn;
}

namespace {

/// What is asked for of a top-level field, or a system column.
struct Wanted {
  const SchemaField* root = nullptr;  // null: a system column
  bool all = false;
  std::vector<const SchemaField*> nodes;  // below it, and
  std::vector<std::string> paths;         // how they were named
};

/// Gathers names. A field is wanted once, however many paths lead into it.
class Request {
 public:
  struct Output {
    size_t column = 0;
    std::string name;
    std::vector<Schema::PathStep> steps;  // empty for a system column
  };

  Request(const Schema& table, NestedNames nested) : table_(table), nested_(nested) {}

  arrow::Status Add(const std::string& name) {
    auto steps = table_.FindPath(name);
    if (steps.empty()) return AddSystemColumn(name);
    const SchemaField *root = steps.front().field, *node = steps.back().field;
    const auto found = std::ranges::find(columns_, root, &Wanted::root);
    const size_t at = static_cast<size_t>(found - columns_.begin());
    const bool is_new = found == columns_.end();
    Wanted& column = is_new ? columns_.emplace_back(root) : *found;
    column.all |= node == root;
    if (std::ranges::find(column.nodes, node) == column.nodes.end()) {
      column.nodes.push_back(node);
      column.paths.push_back(name);
    }
    if (is_new || nested_ == NestedNames::kFlat) outputs_.push_back({at, name, std::move(steps)});
    return arrow::Status::OK();
  }

  const std::vector<Wanted>& columns() const { return columns_; }
  const std::vector<Output>& outputs() const { return outputs_; }

 private:
  arrow::Status AddSystemColumn(const std::string& name) {
    if (!IsSystemColumn(name)) {
      return arrow::Status::Invalid("No field named ", name,
                                    " in the table's schema: ", table_.arrow()->ToString());
    }
    if (name != kRowIdColumn && name != kRowAddressColumn)
      return arrow::Status::NotImplemented("the system column ", name);
    outputs_.push_back({columns_.size(), name, {}});
    columns_.emplace_back();
    return arrow::Status::OK();
  }

  const Schema& table_;
  const NestedNames nested_;
  std::vector<Wanted> columns_;
  std::vector<Output> outputs_;
};

/// The column that is read for `wanted`.
arrow::Result<Projection::Column> ToColumn(const Schema& table, FormatVersion version, const Wanted& wanted,
                                           BlobHandling blobs) {
  Projection::Column column;
  if (wanted.all) {
    column.field = wanted.root->arrow;
    column.column_ids = Schema::ColumnFieldIds(*wanted.root, version);
  } else {
    ARROW_ASSIGN_OR_RAISE(auto part, FileProjection::Make(table, version, wanted.paths));
    const auto ids = table.ColumnFieldIds(version);
    // As in a file that holds all columns of the table; files of version 0.1 have ids instead of numbers.
    const auto id_of = [&](int32_t index) {
      return version == FormatVersion::kLegacy ? index : ids[static_cast<size_t>(index)];
    };
    column.field = part.schema->field(0);
    for (const int32_t index : part.column_indices) column.column_ids.push_back(id_of(index));
    for (auto& [index, packed] : part.packed_parts)
      column.packed_parts.emplace(id_of(index), std::move(packed));
  }
  column.shown = Projection::Shown(column.field, blobs);
  column.stored = blobs == BlobHandling::kDescriptions ? column.shown : WithStoredBlobs(column.field);
  column.wants_blob_bytes = !column.stored->type()->Equals(*column.shown->type());
  return column;
}

/// Follows the names of `steps` into `column`; `shown` becomes the field at the end, as `name`.
arrow::Result<std::vector<int>> FollowPath(const std::vector<Schema::PathStep>& steps,
                                           const std::string& name, std::shared_ptr<arrow::Field>* shown) {
  std::vector<int> path;
  bool nullable = (*shown)->nullable();
  for (size_t i = 1; i < steps.size(); ++i) {
    const auto& type = (*shown)->type();
    if (type->id() != arrow::Type::STRUCT) {
      return arrow::Status::Invalid("Cannot access field ", name, ": ", type->ToString(), " is not a struct");
    }
    const int child = static_cast<const arrow::StructType&>(*type).GetFieldIndex(steps[i].field->name());
    if (child < 0) return arrow::Status::Invalid("Ambiguous name ", name, " in ", type->ToString());
    path.push_back(child);
    *shown = type->field(child);
    nullable |= (*shown)->nullable();
  }
  *shown = (*shown)->WithName(name)->WithNullable(nullable);
  return path;
}

}  // namespace

arrow::Result<std::shared_ptr<const Projection>> Projection::Make(std::shared_ptr<const Schema> table,
                                                                  FormatVersion version,
                                                                  const std::vector<std::string>& names,
                                                                  BlobHandling blobs, NestedNames nested) {
  Request request(*table, nested);
  std::set<std::string_view> seen;
  for (const std::string& name : names) {
    if (!seen.insert(name).second) return arrow::Status::Invalid("Duplicate column name: ", name);
    ARROW_RETURN_NOT_OK(request.Add(name));
  }
  auto projection = std::make_shared<Projection>();
  for (const Wanted& wanted : request.columns()) {
    auto& column = projection->columns_.emplace_back();
    if (wanted.root == nullptr) continue;  // see below: its output knows its name
    ARROW_ASSIGN_OR_RAISE(column, ToColumn(*table, version, wanted, blobs));
  }
  arrow::FieldVector fields;
  for (const Request::Output& output : request.outputs()) {
    Column& column = projection->columns_[output.column];
    if (output.steps.empty()) {
      column.kind = output.name == kRowIdColumn ? Column::kRowId : Column::kRowAddress;
      column.shown = arrow::field(output.name, arrow::uint64());
    }
    auto shown = column.shown;
    std::vector<int> path;
    if (nested == NestedNames::kFlat && output.steps.size() > 1) {
      ARROW_ASSIGN_OR_RAISE(path, FollowPath(output.steps, output.name, &shown));
    }
    fields.push_back(std::move(shown));
    projection->outputs_.push_back({output.column, std::move(path)});
  }
  projection->schema_ = arrow::schema(std::move(fields), table->arrow()->metadata());
  projection->shown_schema_ = WithJsonText(projection->schema_);
  return projection;
}

arrow::Result<std::shared_ptr<const Projection>> Projection::All(std::shared_ptr<const Schema> table,
                                                                 FormatVersion version, BlobHandling blobs) {
  const std::vector<std::string> names = table->arrow()->field_names();
  return Make(std::move(table), version, names, blobs);
}

std::shared_ptr<arrow::Field> Projection::Shown(const std::shared_ptr<arrow::Field>& field,
                                                BlobHandling blobs) {
  return blobs == BlobHandling::kDescriptions ? WithBlobDescriptions(field) : WithBlobBytes(field);
}

}  // namespace pilum
