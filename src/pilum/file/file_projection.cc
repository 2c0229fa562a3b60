// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/file_projection.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "pilum/encoding/nesting.h"

namespace pilum {

namespace {

/// Goes through the nodes of a file in the order of its columns and keeps what is selected. Columns are
/// counted, not found by the ids of their nodes, which a damaged file may repeat.
class Pruner {
 public:
  /// @param selected nodes that are asked for, each with all that is below it.
  Pruner(FormatVersion version, std::set<const SchemaField*> selected)
      : version_(version), selected_(std::move(selected)) {}

  /// What is selected of the next field, or null; appends its columns to `columns`.
  arrow::Result<std::shared_ptr<arrow::Field>> Prune(const SchemaField& node, std::vector<int32_t>* columns) {
    const bool is_map = node.arrow->type()->id() == arrow::Type::MAP;  // an entry is a key and a value
    if (selected_.contains(&node) || (is_map && IsSelectedBelow(node))) {
      const size_t n = Schema::ColumnFieldIds(node, version_).size();
      for (size_t i = 0; i < n; ++i) columns->push_back(next_column_++);
      return node.arrow;
    }
    std::vector<int32_t> kept;
    if (Schema::OwnsColumn(node, version_)) kept.push_back(next_column_++);
    if (Schema::IsOneColumn(node, version_)) {
      if (!IsSelectedBelow(node)) return nullptr;
      columns->push_back(kept.front());
      return PrunePacked(node, kept.front());
    }
    arrow::FieldVector fields;
    for (const SchemaField& child : node.children) {
      ARROW_ASSIGN_OR_RAISE(auto field, Prune(child, &kept));
      if (field != nullptr) fields.push_back(std::move(field));
    }
    if (fields.empty()) return nullptr;
    columns->insert(columns->end(), kept.begin(), kept.end());
    return node.arrow->WithType(WithChildren(*node.arrow->type(), std::move(fields)));
  }

  std::map<int32_t, FileProjection::PackedPart> TakePackedParts() { return std::move(packed_parts_); }

 private:
  /// The children that are selected of a struct in one column.
  arrow::Result<std::shared_ptr<arrow::Field>> PrunePacked(const SchemaField& node, int32_t column) {
    arrow::FieldVector fields;
    FileProjection::PackedPart part{node.arrow->type(), {}};
    for (size_t i = 0; i < node.children.size(); ++i) {
      const SchemaField& child = node.children[i];
      if (!IsPacked(*node.arrow) || IsSelectedBelow(child)) {
        return arrow::Status::NotImplemented("reading a part of '",
                                             (IsPacked(*node.arrow) ? child : node).name(),
                                             "', whose values are not columns of their own");
      }
      if (!selected_.contains(&child)) continue;
      fields.push_back(child.arrow);
      part.children.push_back(i);
    }
    packed_parts_.emplace(column, std::move(part));
    return node.arrow->WithType(arrow::struct_(std::move(fields)));
  }

  bool IsSelectedBelow(const SchemaField& node) const {
    return std::ranges::any_of(node.children, [this](const SchemaField& child) {
      return selected_.contains(&child) || IsSelectedBelow(child);
    });
  }

  const FormatVersion version_;
  const std::set<const SchemaField*> selected_;
  std::map<int32_t, FileProjection::PackedPart> packed_parts_;
  int32_t next_column_ = 0;
};

}  // namespace

FileProjection FileProjection::All(const Schema& file, FormatVersion version) {
  FileProjection projection{file.arrow(), file.ColumnFieldIds(version)};
  if (version != FormatVersion::kLegacy) {
    std::iota(projection.column_indices.begin(), projection.column_indices.end(), 0);
  }
  return projection;
}

arrow::Result<FileProjection> FileProjection::Make(const Schema& file, FormatVersion version,
                                                   const std::vector<std::string>& paths) {
  if (paths.empty()) return arrow::Status::Invalid("Attempt to read zero columns from the file");
  std::set<const SchemaField*> selected;
  std::vector<size_t> roots;  // in the order in which they are first named
  for (const std::string& path : paths) {
    const auto steps = file.FindPath(path);
    if (steps.empty()) {
      return arrow::Status::Invalid("Field '", path,
                                    "' not found among the columns of the file: ", file.arrow()->ToString());
    }
    const size_t root = steps.front().position;
    if (!selected.insert(steps.back().field).second)
      return arrow::Status::Invalid("Duplicate column name: ", path);
    if (std::find(roots.begin(), roots.end(), root) == roots.end()) roots.push_back(root);
  }
  Pruner pruner(version, std::move(selected));
  std::vector<std::vector<int32_t>> columns(file.fields().size());
  arrow::FieldVector pruned;
  for (size_t i = 0; i < columns.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(pruned.emplace_back(), pruner.Prune(file.fields()[i], &columns[i]));
  }
  const FileProjection all = All(file, version);
  FileProjection projection;
  arrow::FieldVector fields;
  for (const size_t root : roots) {
    fields.push_back(pruned[root]);
    for (const int32_t column : columns[root])
      projection.column_indices.push_back(all.column_indices[static_cast<size_t>(column)]);
  }
  projection.schema = arrow::schema(std::move(fields), file.arrow()->metadata());
  projection.packed_parts = pruner.TakePackedParts();
  return projection;
}

arrow::Result<LeafColumn> FileProjection::Stored(int32_t index, LeafColumn leaf) const {
  if (const auto part = packed_parts.find(index); part != packed_parts.end()) {
    ARROW_ASSIGN_OR_RAISE(leaf.type, LeafType::OfPackedPart(part->second.stored, part->second.children));
  }
  return leaf;
}

}  // namespace pilum
