// SPDX-License-Identifier: Apache-2.0
//
// InitializeMemWalBuilder. Spec: 40-memwal-write.md §5.1.
#include <arrow/type_traits.h>

#include <chrono>

#include "pilum/encoding/blob_field.h"
#include "pilum/mem_wal/mem_wal_index.h"

namespace pilum {

namespace {

constexpr uint32_t kMaxBuckets = 1024;
constexpr char kFieldId[] = "bucket";  // whatever the transform

/// The field under a dotted path, or null.
const SchemaField* FindPath(const Schema& schema, std::string_view path) {
  const std::vector<SchemaField>* fields = &schema.fields();
  for (;;) {
    const size_t dot = path.find('.');
    const std::string_view name = path.substr(0, dot);
    const auto found = std::find_if(fields->begin(), fields->end(),
                                    [&](const SchemaField& field) { return field.name() == name; });
    if (found == fields->end()) return nullptr;
    if (dot == std::string_view::npos) return &*found;
    fields = &found->children;
    path.remove_prefix(dot + 1);
  }
}

bool CanBeBucketed(arrow::Type::type id) {
  return arrow::is_integer(id) || id == arrow::Type::BOOL || id == arrow::Type::FLOAT ||
         id == arrow::Type::DOUBLE || id == arrow::Type::DATE32 || arrow::is_time(id) ||
         id == arrow::Type::TIMESTAMP || arrow::is_string(id);
}

/// The name a result type goes by, or none if the type cannot be a shard key as it is.
std::optional<std::string> IdentityTypeName(const arrow::DataType& type) {
  if (arrow::is_integer(type.id())) return type.name();
  if (type.id() == arrow::Type::STRING) return "utf8";
  if (type.id() == arrow::Type::LARGE_STRING) return "large_utf8";
  if (type.id() == arrow::Type::BOOL) return "boolean";
  return std::nullopt;
}

}  // namespace

InitializeMemWalBuilder::InitializeMemWalBuilder(std::shared_ptr<Dataset> dataset)
    : dataset_(std::move(dataset)) {}

InitializeMemWalBuilder& InitializeMemWalBuilder::Unsharded() {
  sharding_ = Sharding{"unsharded", "", 0};
  return *this;
}

InitializeMemWalBuilder& InitializeMemWalBuilder::BucketSharding(std::string column, uint32_t num_buckets) {
  sharding_ = Sharding{"bucket", std::move(column), num_buckets};
  return *this;
}

InitializeMemWalBuilder& InitializeMemWalBuilder::IdentitySharding(std::string column) {
  sharding_ = Sharding{"identity", std::move(column), 0};
  return *this;
}

InitializeMemWalBuilder& InitializeMemWalBuilder::MaintainedIndexes(std::vector<std::string> names) {
  maintained_indexes_ = std::move(names);
  return *this;
}

InitializeMemWalBuilder& InitializeMemWalBuilder::WriterConfigDefaults(const ShardWriterConfig& config) {
  for (auto& [key, value] : config.ToStrings()) writer_config_defaults_[key] = value;
  return *this;
}

InitializeMemWalBuilder& InitializeMemWalBuilder::AddWriterConfigDefault(std::string key, std::string value) {
  writer_config_defaults_[std::move(key)] = std::move(value);
  return *this;
}

InitializeMemWalBuilder& InitializeMemWalBuilder::AdoptExistingShards() {
  adopt_existing_shards_ = true;
  return *this;
}

arrow::Status InitializeMemWalBuilder::AddSharding(lance::table::MemWalIndexDetails* details) const {
  if (!sharding_) return arrow::Status::OK();
  auto* spec = details->add_sharding_specs();
  spec->set_spec_id(1);
  auto* field = spec->add_fields();
  field->set_field_id(kFieldId);
  field->set_transform(sharding_->transform);
  field->set_result_type("int32");
  if (sharding_->transform == "unsharded") {
    details->set_num_shards(1);
    return arrow::Status::OK();
  }
  const bool bucket = sharding_->transform == "bucket";
  const std::string what = sharding_->transform + "_sharding: ";
  if (bucket && (sharding_->num_buckets == 0 || sharding_->num_buckets > kMaxBuckets)) {
    return arrow::Status::Invalid(what, "num_buckets must be in [1, ", kMaxBuckets, "], got ",
                                  sharding_->num_buckets);
  }
  const SchemaField* column = FindPath(*dataset_->lance_schema(), sharding_->column);
  if (column == nullptr)
    return arrow::Status::Invalid(what, "column '", sharding_->column, "' not found on the dataset");
  const arrow::DataType& type = *column->arrow->type();
  const auto identity = IdentityTypeName(type);
  if (bucket ? !CanBeBucketed(type.id()) : !identity) {
    return arrow::Status::Invalid(what, "column '", sharding_->column, "' has type ", type.ToString(),
                                  ", which cannot be used as a shard key");
  }
  field->add_source_ids(column->id);
  if (bucket) {
    details->set_num_shards(sharding_->num_buckets);
    (*field->mutable_parameters())["num_buckets"] = std::to_string(sharding_->num_buckets);
  } else {
    field->set_result_type(*identity);
  }
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<Dataset>> InitializeMemWalBuilder::Execute() {
  for (const auto& field : dataset_->schema()->fields()) {
    if (WithStoredBlobs(field) == field) continue;
    return arrow::Status::NotImplemented("MemWAL of a table with blobs of version 2: column '", field->name(),
                                         "'");
  }
  lance::table::MemWalIndexDetails details;
  ARROW_RETURN_NOT_OK(AddSharding(&details));
  for (const std::string& name : maintained_indexes_) {
    if (dataset_->manifest().FindIndex(name) == nullptr) {
      return arrow::Status::Invalid(
          "Index '", name, "' not found on dataset. maintained_indexes must reference existing indexes.");
    }
    details.add_maintained_indexes(name);
  }
  if (dataset_->manifest().FindIndex(kMemWalIndexName) != nullptr) {
    return arrow::Status::Invalid("MemWAL is already initialized on this dataset.");
  }
  ARROW_ASSIGN_OR_RAISE(const auto shards, ListMemWalLatestShardIds(*dataset_));
  if (!shards.empty() && !adopt_existing_shards_) {
    return arrow::Status::Invalid(
        dataset_->uri(), " has ", shards.size(),
        " shards of an earlier MemWAL, whose rows would come back: adopt them or delete _mem_wal first");
  }
  details.mutable_writer_config_defaults()->insert(writer_config_defaults_.begin(),
                                                   writer_config_defaults_.end());

  lance::table::Transaction transaction;
  transaction.set_read_version(dataset_->version());
  auto* index = transaction.mutable_create_index()->add_new_indices();
  index->mutable_uuid()->set_uuid(std::string(Uuid::Random().AsBytes()));
  index->set_name(kMemWalIndexName);
  index->set_dataset_version(dataset_->version());
  index->mutable_index_details()->set_type_url("/lance.table.MemWalIndexDetails");
  index->mutable_index_details()->set_value(details.SerializeAsString());
  index->set_index_version(0);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  index->set_created_at(
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count()));
  return dataset_->Commit(std::move(transaction));
}

}  // namespace pilum
