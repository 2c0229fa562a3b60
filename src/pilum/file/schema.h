// SPDX-License-Identifier: Apache-2.0
//
// The schema of a table or data file: Arrow fields with ids that survive renames. Spec: 10-file.md §3, §4.
#pragma once

#include <arrow/result.h>
#include <arrow/type.h>
#include <google/protobuf/repeated_field.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pilum/file/format_version.h"
#include "pilum_proto/file.pb.h"

namespace pilum {

/// Field metadata that makes a field part of the primary key.
inline constexpr char kPrimaryKeyMetadata[] = "lance-schema:unenforced-primary-key";
inline constexpr char kPrimaryKeyPositionMetadata[] = "lance-schema:unenforced-primary-key:position";
inline constexpr char kClusteringKeyPositionMetadata[] = "lance-schema:unenforced-clustering-key:position";
/// Field metadata through which Arrow schemas carry ids; consumed by Schema::FromArrow.
inline constexpr char kFieldIdMetadata[] = "lance:field_id";

/// One node of a schema. A value.
struct SchemaField {
  std::shared_ptr<arrow::Field> arrow;  ///< name, type with all children, nullability, metadata
  int32_t id = -1;
  int32_t parent_id = -1;             ///< -1: top level
  std::vector<SchemaField> children;  ///< of struct, list, map, fixed-size list of struct; else empty
  /// Set for members of the primary key: 1-based position, 0 = ordered by id.
  std::optional<uint32_t> primary_key_position;
  uint32_t clustering_key_position = 0;  ///< from 1 on; 0: not part of the clustering key

  const std::string& name() const { return arrow->name(); }
};

/// Immutable. Any thread.
class Schema {
 public:
  /// Extension types become their storage and metadata. Assigns ids depth first where the metadata gives
  /// none, starting behind `max_used_id`. Validates (§3.5): Invalid for unsupported types, reserved or
  /// duplicate names, bad primary keys.
  static arrow::Result<std::shared_ptr<const Schema>> FromArrow(const arrow::Schema& schema,
                                                                int32_t max_used_id = -1);
  static arrow::Result<std::shared_ptr<const Schema>> FromProto(
      const google::protobuf::RepeatedPtrField<lance::file::Field>& fields,
      const google::protobuf::Map<std::string, std::string>& metadata);
  void ToProto(google::protobuf::RepeatedPtrField<lance::file::Field>* fields,
               google::protobuf::Map<std::string, std::string>* metadata) const;

  /// Names, types, nullability and metadata; no ids.
  const std::shared_ptr<arrow::Schema>& arrow() const { return arrow_; }
  const std::vector<SchemaField>& fields() const { return fields_; }

  /// Top-level field by exact name, or null.
  const SchemaField* FindField(std::string_view name) const;
  /// A node and its position among its siblings, whose names may be the same.
  struct PathStep {
    const SchemaField* field;
    size_t position;
  };
  /// The nodes from a top-level field down to the one at `path`; empty if there is none. "a.b" is child b of
  /// a; names below the top level may contain dots, and any may be quoted in backticks.
  std::vector<PathStep> FindPath(std::string_view path) const;
  /// Any node by id, or null.
  const SchemaField* FindFieldById(int32_t id) const;
  int32_t max_field_id() const;

  /// Top-level fields of the primary key in key order; empty if there is none.
  std::vector<const SchemaField*> PrimaryKey() const;

  /// Ids of the nodes that own a column of a data file, in column order (§4.1).
  std::vector<int32_t> ColumnFieldIds(FormatVersion version) const;
  /// The same for one field and what is below it.
  static std::vector<int32_t> ColumnFieldIds(const SchemaField& field, FormatVersion version);
  /// Whether the node itself has a column, in front of those of its children.
  static bool OwnsColumn(const SchemaField& node, FormatVersion version);
  /// Whether its one column holds the children too: blobs and packed structs, which 0.1 does not know.
  static bool IsOneColumn(const SchemaField& node, FormatVersion version);

  /// The top-level fields with these names, in this order, ids kept. KeyError names the first unknown one.
  arrow::Result<std::shared_ptr<const Schema>> Project(const std::vector<std::string>& names) const;

 private:
  Schema(std::vector<SchemaField> fields, std::shared_ptr<const arrow::KeyValueMetadata> metadata);

  std::vector<SchemaField> fields_;
  std::shared_ptr<arrow::Schema> arrow_;
};

}  // namespace pilum
