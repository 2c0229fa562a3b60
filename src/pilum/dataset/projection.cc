// SPDX-License-Identifier: Apache-2.0
#include "pilum/dataset/projection.h"

#include <set>

#include "pilum/dataset/scanner.h"

namespace pilum {

bool IsSystemColumn(std::string_view name) {
  return name == kRowIdColumn || name == kRowAddressColumn || name == kRowOffsetColumn ||
         name == kCreatedAtVersionColumn || name == kLastUpdatedAtVersionColumn;
}

arrow::Result<std::shared_ptr<const Projection>> Projection::Make(std::shared_ptr<const Schema> table,
                                                                  FormatVersion version,
                                                                  const std::vector<std::string>& names,
                                                                  BlobHandling blobs) {
  auto projection = std::make_shared<Projection>();
  arrow::FieldVector fields;
  std::set<std::string_view> seen;
  for (const std::string& name : names) {
    if (!seen.insert(name).second) return arrow::Status::Invalid("Duplicate column name: ", name);
    Column column;
    if (const SchemaField* field = table->FindField(name)) {
      column.field = field;
      column.column_ids = Schema::ColumnFieldIds(*field, version);
      fields.push_back(Shown(field->arrow, blobs));
      column.stored = blobs == BlobHandling::kDescriptions ? fields.back() : WithStoredBlobs(field->arrow);
      column.wants_blob_bytes = !column.stored->type()->Equals(*fields.back()->type());
    } else if (name == kRowIdColumn || name == kRowAddressColumn) {
      column.kind = name == kRowIdColumn ? Column::kRowId : Column::kRowAddress;
      fields.push_back(arrow::field(name, arrow::uint64()));
    } else if (IsSystemColumn(name)) {
      return arrow::Status::NotImplemented("the system column ", name);
    } else {
      return arrow::Status::Invalid("No field named ", name,
                                    " in the table's schema: ", table->arrow()->ToString());
    }
    projection->columns_.push_back(std::move(column));
  }
  projection->schema_ = arrow::schema(std::move(fields), table->arrow()->metadata());
  projection->table_ = std::move(table);
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
