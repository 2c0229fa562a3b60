// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/schema.h"

#include <arrow/util/key_value_metadata.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "pilum/encoding/blob_field.h"
#include "pilum/encoding/extension_storage.h"
#include "pilum/encoding/json_column.h"
#include "pilum/encoding/nesting.h"
#include "pilum/file/logical_type.h"

namespace pilum {

namespace {

using arrow::Type;
using MetadataMap = google::protobuf::Map<std::string, std::string>;
using ProtoFields = google::protobuf::RepeatedPtrField<lance::file::Field>;

bool HasFieldChildren(const arrow::DataType& type) {
  switch (type.id()) {
    case Type::STRUCT:
    case Type::LIST:
    case Type::LARGE_LIST:
    case Type::MAP:
      return true;
    case Type::FIXED_SIZE_LIST:
      return static_cast<const arrow::FixedSizeListType&>(type).value_type()->id() == Type::STRUCT;
    default:
      return false;
  }
}

/// What old readers expect in the deprecated `encoding` (§3.2).
lance::file::Encoding DeprecatedEncoding(const arrow::DataType& type) {
  switch (type.id()) {
    case Type::STRING:
    case Type::BINARY:
    case Type::LARGE_STRING:
    case Type::LARGE_BINARY:
      return lance::file::VAR_BINARY;
    case Type::DICTIONARY:
      return lance::file::DICTIONARY;
    case Type::STRUCT:
    case Type::NA:
      return lance::file::NONE;
    default:
      return lance::file::PLAIN;
  }
}

std::shared_ptr<const arrow::KeyValueMetadata> ToArrowMetadata(std::map<std::string, std::string> entries) {
  if (entries.empty()) return nullptr;
  auto metadata = std::make_shared<arrow::KeyValueMetadata>();
  for (auto& [key, value] : entries) metadata->Append(key, value);
  return metadata;
}

std::map<std::string, std::string> Sorted(const MetadataMap& metadata) {
  return {metadata.begin(), metadata.end()};
}

/// The number in the metadata under `key`, none if there is no such key.
arrow::Result<std::optional<uint32_t>> PositionIn(const arrow::Field& field, const char* key) {
  const auto text = GetMetadata(field, key);
  if (!text) return std::nullopt;
  uint32_t position = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), position);
  if (error != std::errc() || end != text->data() + text->size()) {
    return arrow::Status::Invalid("Column '", field.name(), "': ", key, " = '", *text, "' is not a position");
  }
  return position;
}

arrow::Result<std::optional<uint32_t>> PrimaryKeyPosition(const arrow::Field& field) {
  ARROW_ASSIGN_OR_RAISE(const auto position, PositionIn(field, kPrimaryKeyPositionMetadata));
  if (position) return position;
  auto text = GetMetadata(field, kPrimaryKeyMetadata);
  if (!text) return std::nullopt;
  std::transform(text->begin(), text->end(), text->begin(), [](unsigned char c) { return std::tolower(c); });
  if (*text == "true" || *text == "1" || *text == "yes") return 0u;
  return std::nullopt;
}

/// 8.0.0 aborts on the schema of a file whose zone is an offset: never write one.
arrow::Status CheckTimeZone(const arrow::Field& field) {
  if (field.type()->id() != Type::TIMESTAMP) return arrow::Status::OK();
  const auto& zone = static_cast<const arrow::TimestampType&>(*field.type()).timezone();
  if (zone.find(':') == std::string::npos) return arrow::Status::OK();
  return arrow::Status::NotImplemented("Column '", field.name(), "': time zone '", zone,
                                       "' cannot be read by Lance 8.0.0; use a zone name such as UTC");
}

/// The field with the id it asks for, without the metadata that asks; children likewise.
arrow::Result<SchemaField> FromArrowField(const std::shared_ptr<arrow::Field>& field) {
  ARROW_RETURN_NOT_OK(LogicalTypeOf(*field));
  ARROW_RETURN_NOT_OK(CheckTimeZone(*field));
  SchemaField node;
  if (const auto text = GetMetadata(*field, kFieldIdMetadata)) {
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), node.id);
    if (error != std::errc() || end != text->data() + text->size()) {
      return arrow::Status::Invalid("Column '", field->name(), "': ", kFieldIdMetadata, " = '", *text,
                                    "' is not an integer");
    }
    node.id = std::max(node.id, -1);
  }
  std::map<std::string, std::string> entries;
  if (field->metadata() != nullptr) {
    for (const auto& [key, value] : field->metadata()->sorted_pairs()) {
      if (key != kFieldIdMetadata) entries.emplace(key, value);
    }
  }
  node.arrow = field->WithType(StoredType(field->type()))->WithMetadata(ToArrowMetadata(std::move(entries)));
  ARROW_ASSIGN_OR_RAISE(node.primary_key_position, PrimaryKeyPosition(*field));
  ARROW_ASSIGN_OR_RAISE(const auto clustering, PositionIn(*field, kClusteringKeyPositionMetadata));
  node.clustering_key_position = clustering.value_or(0);
  if (HasFieldChildren(*field->type())) {
    for (const auto& child : field->type()->fields()) {
      ARROW_ASSIGN_OR_RAISE(auto child_node, FromArrowField(child));
      node.children.push_back(std::move(child_node));
    }
  }
  return node;
}

void AssignIds(std::vector<SchemaField>* fields, int32_t parent_id, int32_t* next) {
  for (SchemaField& field : *fields) {
    if (field.id < 0) field.id = (*next)++;
    field.parent_id = parent_id;
    AssignIds(&field.children, field.id, next);
  }
}

int32_t MaxId(const std::vector<SchemaField>& fields) {
  int32_t id = -1;
  for (const SchemaField& field : fields) id = std::max({id, field.id, MaxId(field.children)});
  return id;
}

arrow::Status CheckIds(const std::vector<SchemaField>& fields, std::set<int32_t>* seen) {
  for (const SchemaField& field : fields) {
    if (!seen->insert(field.id).second) {
      return arrow::Status::Invalid("Duplicate field id ", field.id, " (column '", field.name(), "')");
    }
    ARROW_RETURN_NOT_OK(CheckIds(field.children, seen));
  }
  return arrow::Status::OK();
}

arrow::Status CheckPrimaryKey(const SchemaField& field, bool nullable_above, const char* inside) {
  const bool nullable = nullable_above || field.arrow->nullable();
  if (field.primary_key_position) {
    if (!field.children.empty())
      return arrow::Status::Invalid("Primary key column must be a leaf: '", field.name(), "'");
    if (nullable) {
      return arrow::Status::Invalid("Primary key column and all its ancestors must not be nullable: '",
                                    field.name(), "'");
    }
    if (inside != nullptr) {
      return arrow::Status::Invalid("Primary key column must not be in a ", inside, " type: '", field.name(),
                                    "'");
    }
  }
  const auto id = field.arrow->type()->id();
  if (id == Type::LIST || id == Type::LARGE_LIST || id == Type::FIXED_SIZE_LIST) inside = "list";
  if (id == Type::MAP) inside = "map";
  for (const SchemaField& child : field.children)
    ARROW_RETURN_NOT_OK(CheckPrimaryKey(child, nullable, inside));
  return arrow::Status::OK();
}

arrow::Status Validate(const std::vector<SchemaField>& fields) {
  std::set<std::string> names;
  for (const SchemaField& field : fields) {
    if (field.name().find('.') != std::string::npos) {
      return arrow::Status::Invalid("Top level field ", field.name(),
                                    " cannot contain `.`. Maybe you meant to create a struct field?");
    }
    if (!names.insert(field.name()).second) {
      return arrow::Status::Invalid("Duplicate field name \"", field.name(), "\" in schema");
    }
    ARROW_RETURN_NOT_OK(CheckPrimaryKey(field, false, nullptr));
  }
  std::set<int32_t> ids;
  return CheckIds(fields, &ids);
}

/// The flat list of a file or manifest, grouped under its parents. Fields are visited once: a child names a
/// parent that came before it.
class TreeBuilder {
 public:
  explicit TreeBuilder(const ProtoFields& fields) : fields_(fields) {}

  arrow::Result<std::vector<SchemaField>> Build() {
    for (int i = 0; i < fields_.size(); ++i) {
      const auto& field = fields_.Get(i);
      if (field.parent_id() == -1) {
        roots_.push_back(i);
      } else {
        const auto parent = index_by_id_.find(field.parent_id());
        if (parent == index_by_id_.end()) {
          return arrow::Status::Invalid("Field '", field.name(), "' (id=", field.id(),
                                        ") references parent id ", field.parent_id(),
                                        ", which must appear earlier in the schema");
        }
        children_[parent->second].push_back(i);
      }
      index_by_id_.emplace(field.id(), i);  // the first of duplicate ids counts
    }
    std::vector<SchemaField> nodes;
    for (int i : roots_) {
      ARROW_ASSIGN_OR_RAISE(auto node, Node(i, 0));
      nodes.push_back(std::move(node));
    }
    return nodes;
  }

 private:
  static constexpr int kMaxDepth = 1100;

  arrow::Result<SchemaField> Node(int i, int depth) {
    if (depth > kMaxDepth)
      return arrow::Status::Invalid("The schema is nested more than ", kMaxDepth, " levels deep");
    const auto& proto = fields_.Get(i);
    SchemaField node;
    node.id = proto.id();
    node.parent_id = proto.parent_id();
    if (const auto it = children_.find(i); it != children_.end()) {
      for (int child : it->second) {
        ARROW_ASSIGN_OR_RAISE(auto child_node, Node(child, depth + 1));
        node.children.push_back(std::move(child_node));
      }
    }
    ARROW_ASSIGN_OR_RAISE(auto type, TypeOf(proto, node.children));
    auto metadata = Sorted(proto.metadata());
    if (!proto.extension_name().empty()) metadata[kExtensionNameMetadata] = proto.extension_name();
    if (proto.logical_type() == "json") metadata[kExtensionNameMetadata] = kJsonbExtension;
    node.arrow = arrow::field(proto.name(), type, proto.nullable(), ToArrowMetadata(std::move(metadata)));
    if (proto.unenforced_primary_key()) node.primary_key_position = proto.unenforced_primary_key_position();
    node.clustering_key_position = proto.unenforced_clustering_key_position();
    return node;
  }

  static arrow::Result<std::shared_ptr<arrow::DataType>> TypeOf(const lance::file::Field& proto,
                                                                const std::vector<SchemaField>& children) {
    const std::string& name = proto.logical_type();
    arrow::FieldVector fields;
    for (const SchemaField& child : children) fields.push_back(child.arrow);
    if (name == "struct") return arrow::struct_(fields);
    const bool is_list = name == "list" || name == "list.struct";
    const bool is_large_list = name == "large_list" || name == "large_list.struct";
    const bool is_vector_of_struct = name.starts_with("fixed_size_list:struct:");
    if (is_list || is_large_list || is_vector_of_struct || name == "map") {
      if (fields.size() != 1) {
        return arrow::Status::Invalid("Field '", proto.name(), "' of type ", name, " has ", fields.size(),
                                      " children instead of one");
      }
      if (is_list) return arrow::list(fields[0]);
      if (is_large_list) return arrow::large_list(fields[0]);
      if (name == "map") return arrow::MapType::Make(fields[0]);
      int32_t size = 0;
      const std::string digits = name.substr(name.rfind(':') + 1);
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size);
      if (error != std::errc() || *end != '\0' || size <= 0 || fields[0]->type()->id() != Type::STRUCT) {
        return arrow::Status::Invalid("Unsupported logical type: '", name, "'");
      }
      return arrow::fixed_size_list(fields[0], size);
    }
    ARROW_ASSIGN_OR_RAISE(auto type, ParseLogicalType(name));
    return type;
  }

  const ProtoFields& fields_;
  std::vector<int> roots_;
  std::map<int, std::vector<int>> children_;
  std::map<int32_t, int> index_by_id_;
};

arrow::Status AppendProto(const SchemaField& field, ProtoFields* out) {
  lance::file::Field* proto = out->Add();
  proto->set_name(field.name());
  proto->set_id(field.id);
  proto->set_parent_id(field.parent_id);
  proto->set_nullable(field.arrow->nullable());
  proto->set_encoding(DeprecatedEncoding(*field.arrow->type()));
  const auto extension = GetMetadata(*field.arrow, kExtensionNameMetadata);
  if (extension) proto->set_extension_name(*extension);
  if (extension == kJsonbExtension) {
    proto->set_logical_type("json");
  } else {
    ARROW_ASSIGN_OR_RAISE(*proto->mutable_logical_type(), LogicalTypeOf(*field.arrow));
  }
  if (field.arrow->metadata() != nullptr) {
    for (const auto& [key, value] : field.arrow->metadata()->sorted_pairs())
      (*proto->mutable_metadata())[key] = value;
  }
  if (field.primary_key_position) {
    proto->set_unenforced_primary_key(true);
    proto->set_unenforced_primary_key_position(*field.primary_key_position);
  }
  proto->set_unenforced_clustering_key_position(field.clustering_key_position);
  for (const SchemaField& child : field.children) ARROW_RETURN_NOT_OK(AppendProto(child, out));
  return arrow::Status::OK();
}

const SchemaField* FindById(const std::vector<SchemaField>& fields, int32_t id) {
  for (const SchemaField& field : fields) {
    if (field.id == id) return &field;
    if (const SchemaField* found = FindById(field.children, id)) return found;
  }
  return nullptr;
}

std::vector<Schema::PathStep> FindBelow(const std::vector<SchemaField>& fields, std::string_view path) {
  for (size_t i = 0; i < fields.size(); ++i) {
    const Schema::PathStep step{&fields[i], i};
    const std::string& name = step.field->name();
    if (name == path) return {step};
    if (path.size() <= name.size() || !path.starts_with(name) || path[name.size()] != '.') continue;
    auto below = FindBelow(step.field->children, path.substr(name.size() + 1));
    if (below.empty()) continue;
    below.insert(below.begin(), step);
    return below;
  }
  return {};
}

void AppendColumns(const SchemaField& field, FormatVersion version, std::vector<int32_t>* ids) {
  if (Schema::OwnsColumn(field, version)) ids->push_back(field.id);
  if (Schema::IsOneColumn(field, version)) return;
  for (const SchemaField& child : field.children) AppendColumns(child, version, ids);
}

void AppendKeyFields(const std::vector<SchemaField>& fields, std::vector<const SchemaField*>* key) {
  for (const SchemaField& field : fields) {
    if (field.primary_key_position) key->push_back(&field);
  }
}

}  // namespace

Schema::Schema(std::vector<SchemaField> fields, std::shared_ptr<const arrow::KeyValueMetadata> metadata)
    : fields_(std::move(fields)) {
  arrow::FieldVector arrow_fields;
  for (const SchemaField& field : fields_) arrow_fields.push_back(field.arrow);
  arrow_ = arrow::schema(std::move(arrow_fields), std::move(metadata));
}

arrow::Result<std::shared_ptr<const Schema>> Schema::FromArrow(const arrow::Schema& schema,
                                                               int32_t max_used_id) {
  std::vector<SchemaField> fields;
  for (const auto& field : schema.fields()) {
    ARROW_ASSIGN_OR_RAISE(auto node, FromArrowField(StorageField(field)));
    fields.push_back(std::move(node));
  }
  int32_t next = std::max(max_used_id, MaxId(fields)) + 1;
  AssignIds(&fields, -1, &next);
  ARROW_RETURN_NOT_OK(Validate(fields));
  return std::shared_ptr<const Schema>(new Schema(std::move(fields), schema.metadata()));
}

arrow::Result<std::shared_ptr<const Schema>> Schema::FromProto(const ProtoFields& fields,
                                                               const MetadataMap& metadata) {
  ARROW_ASSIGN_OR_RAISE(auto nodes, TreeBuilder(fields).Build());
  return std::shared_ptr<const Schema>(new Schema(std::move(nodes), ToArrowMetadata(Sorted(metadata))));
}

void Schema::ToProto(ProtoFields* fields, MetadataMap* metadata) const {
  for (const SchemaField& field : fields_) {
    // Cannot fail: FromArrow and FromProto let only types pass that have a name.
    if (const arrow::Status status = AppendProto(field, fields); !status.ok())
      status.Abort("Schema::ToProto");
  }
  if (arrow_->metadata() == nullptr) return;
  for (const auto& [key, value] : arrow_->metadata()->sorted_pairs()) (*metadata)[key] = value;
}

const SchemaField* Schema::FindField(std::string_view name) const {
  const auto it = std::find_if(fields_.begin(), fields_.end(),
                               [&](const SchemaField& field) { return field.name() == name; });
  return it == fields_.end() ? nullptr : &*it;
}

std::vector<Schema::PathStep> Schema::FindPath(std::string_view path) const {
  auto steps = FindBelow(fields_, path);
  if (!steps.empty() || path.find('`') == std::string_view::npos) return steps;
  std::string unquoted(path);
  std::erase(unquoted, '`');
  return FindBelow(fields_, unquoted);
}

const SchemaField* Schema::FindFieldById(int32_t id) const { return FindById(fields_, id); }

int32_t Schema::max_field_id() const { return MaxId(fields_); }

std::vector<const SchemaField*> Schema::PrimaryKey() const {
  std::vector<const SchemaField*> key;
  AppendKeyFields(fields_, &key);
  // Members with a position come first, by position; the others follow by id.
  const auto rank = [](const SchemaField* field) {
    const uint32_t position = *field->primary_key_position;
    return std::make_tuple(position == 0, position, field->id);
  };
  std::sort(key.begin(), key.end(),
            [&](const SchemaField* a, const SchemaField* b) { return rank(a) < rank(b); });
  return key;
}

std::vector<int32_t> Schema::ColumnFieldIds(FormatVersion version) const {
  std::vector<int32_t> ids;
  for (const SchemaField& field : fields_) AppendColumns(field, version, &ids);
  return ids;
}

bool Schema::IsOneColumn(const SchemaField& node, FormatVersion version) {
  if (version == FormatVersion::kLegacy) return false;
  return IsBlobV1(*node.arrow) || IsBlobV2(*node.arrow) || IsPacked(*node.arrow);
}

bool Schema::OwnsColumn(const SchemaField& node, FormatVersion version) {
  return node.children.empty() || IsOneColumn(node, version) || version <= FormatVersion::k2_0;
}

std::vector<int32_t> Schema::ColumnFieldIds(const SchemaField& field, FormatVersion version) {
  std::vector<int32_t> ids;
  AppendColumns(field, version, &ids);
  return ids;
}

arrow::Result<std::shared_ptr<const Schema>> Schema::Project(const std::vector<std::string>& names) const {
  std::vector<SchemaField> fields;
  for (const std::string& name : names) {
    const SchemaField* field = FindField(name);
    if (field == nullptr) return arrow::Status::KeyError("No column '", name, "' in ", arrow_->ToString());
    fields.push_back(*field);
  }
  return std::shared_ptr<const Schema>(new Schema(std::move(fields), arrow_->metadata()));
}

}  // namespace pilum
