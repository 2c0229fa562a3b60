// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/file_projection.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

namespace pilum {

namespace {

/// Ids of nodes that are asked for, with all that is below them.
using Selection = std::set<int32_t>;

/// The node at `path` below `fields`, or null. A name may contain dots.
const SchemaField* FindNode(const std::vector<SchemaField>& fields, std::string_view path) {
  for (const SchemaField& field : fields) {
    const std::string& name = field.name();
    if (path == name) return &field;
    if (!path.starts_with(name) || path[name.size()] != '.') continue;
    if (const auto* node = FindNode(field.children, path.substr(name.size() + 1))) return node;
  }
  return nullptr;
}

/// `type` with other children.
std::shared_ptr<arrow::DataType> WithChildren(const arrow::DataType& type, arrow::FieldVector children) {
  switch (type.id()) {
    case arrow::Type::LIST:
      return arrow::list(children[0]);
    case arrow::Type::LARGE_LIST:
      return arrow::large_list(children[0]);
    case arrow::Type::FIXED_SIZE_LIST:
      return arrow::fixed_size_list(children[0],
                                    static_cast<const arrow::FixedSizeListType&>(type).list_size());
    default:
      return arrow::struct_(std::move(children));
  }
}

/// What is selected of `node`, or null.
std::shared_ptr<arrow::Field> Prune(const SchemaField& node, const Selection& selected,
                                    std::vector<SchemaField>* kept) {
  if (selected.contains(node.id)) {
    kept->push_back(node);
    return node.arrow;
  }
  std::vector<SchemaField> children;
  arrow::FieldVector fields;
  for (const SchemaField& child : node.children) {
    if (auto field = Prune(child, selected, &children)) fields.push_back(std::move(field));
  }
  if (fields.empty()) return nullptr;
  if (node.arrow->type()->id() == arrow::Type::MAP) {  // an entry is a key and a value
    kept->push_back(node);
    return node.arrow;
  }
  SchemaField pruned = node;
  pruned.children = std::move(children);
  pruned.arrow = node.arrow->WithType(WithChildren(*node.arrow->type(), std::move(fields)));
  kept->push_back(pruned);
  return pruned.arrow;
}

const SchemaField& RootOf(const Schema& schema, const SchemaField& node) {
  const SchemaField* root = &node;
  while (root->parent_id >= 0) root = schema.FindFieldById(root->parent_id);
  return *root;
}

}  // namespace

FileProjection FileProjection::All(const Schema& file, FormatVersion version) {
  FileProjection projection{file.arrow(), {}};
  projection.column_indices.resize(file.ColumnFieldIds(version).size());
  std::iota(projection.column_indices.begin(), projection.column_indices.end(), 0);
  return projection;
}

arrow::Result<FileProjection> FileProjection::Make(const Schema& file, FormatVersion version,
                                                   const std::vector<std::string>& paths) {
  if (paths.empty()) return arrow::Status::Invalid("Attempt to read zero columns from the file");
  Selection selected;
  std::vector<const SchemaField*> roots;
  for (const std::string& path : paths) {
    const SchemaField* node = FindNode(file.fields(), path);
    if (node == nullptr) {
      return arrow::Status::Invalid("Field '", path,
                                    "' not found among the columns of the file: ", file.arrow()->ToString());
    }
    if (!selected.insert(node->id).second) return arrow::Status::Invalid("Duplicate column name: ", path);
    const SchemaField* root = &RootOf(file, *node);
    if (std::find(roots.begin(), roots.end(), root) == roots.end()) roots.push_back(root);
  }
  std::map<int32_t, int32_t> column_of;  // field id -> column of the file
  for (const int32_t id : file.ColumnFieldIds(version))
    column_of.emplace(id, static_cast<int32_t>(column_of.size()));
  FileProjection projection;
  arrow::FieldVector fields;
  for (const SchemaField* root : roots) {
    std::vector<SchemaField> kept;
    fields.push_back(Prune(*root, selected, &kept));
    for (const int32_t id : Schema::ColumnFieldIds(kept[0], version))
      projection.column_indices.push_back(column_of.at(id));
  }
  projection.schema = arrow::schema(std::move(fields), file.arrow()->metadata());
  return projection;
}

}  // namespace pilum
