// SPDX-License-Identifier: Apache-2.0
#include "pilum/table/next_manifest.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <limits>
#include <map>
#include <set>

#include "pilum/table/bitmap.h"
#include "pilum/util/error.h"
#include "pilum/util/uuid.h"

namespace pilum {

namespace {

using lance::table::DataFragment;
using lance::table::IndexMetadata;
using lance::table::Transaction;
using Fragments = google::protobuf::RepeatedPtrField<DataFragment>;

constexpr char kLibraryVersion[] = "0.1.0";

/// One manifest being made from another.
class Builder {
 public:
  Builder(const Manifest* base, const Transaction& transaction, FormatVersion data_version)
      : base_(base), transaction_(transaction), data_version_(data_version) {
    if (base != nullptr) next_ = std::make_shared<Manifest>(*base);
    if (base == nullptr) next_ = std::make_shared<Manifest>();
  }

  arrow::Result<std::shared_ptr<const Manifest>> Build();

 private:
  lance::table::Manifest& proto() { return next_->proto; }

  arrow::Status Apply();
  arrow::Status ApplyOverwrite(const Transaction::Overwrite& overwrite);
  arrow::Status ApplyDelete(const Transaction::Delete& deletion);
  arrow::Status ApplyUpdate(const Transaction::Update& update);
  void ApplyCreateIndex(const Transaction::CreateIndex& create);
  arrow::Status ApplyUpdateConfig(const Transaction::UpdateConfig& update);
  arrow::Status ApplyReserveFragments(const Transaction::ReserveFragments& reserve);

  /// Adds fragments, giving ids to those that have none.
  void AddFragments(const Fragments& fragments, uint64_t first_id);
  void ReplaceFragments(const Fragments& updated, const std::set<uint64_t>& removed);
  arrow::Status RetainIndexes();
  void MergeGenerations(
      const google::protobuf::RepeatedPtrField<lance::table::MergedGeneration>& generations);
  arrow::Status CheckDataFiles();
  void Stamp();

  uint64_t NextFragmentId() const {
    return next_->proto.has_max_fragment_id() ? uint64_t{next_->proto.max_fragment_id()} + 1 : 0;
  }

  const Manifest* const base_;
  const Transaction& transaction_;
  const FormatVersion data_version_;  // of what an Overwrite makes
  std::shared_ptr<Manifest> next_;
};

void Builder::AddFragments(const Fragments& fragments, uint64_t first_id) {
  uint64_t id = first_id;
  for (const DataFragment& fragment : fragments) {
    DataFragment* added = proto().add_fragments();
    *added = fragment;
    if (added->id() == 0) added->set_id(id++);
  }
}

void Builder::ReplaceFragments(const Fragments& updated, const std::set<uint64_t>& removed) {
  std::map<uint64_t, const DataFragment*> by_id;
  for (const DataFragment& fragment : updated) by_id[fragment.id()] = &fragment;
  Fragments kept;
  for (const DataFragment& fragment : proto().fragments()) {
    if (removed.contains(fragment.id())) continue;
    const auto it = by_id.find(fragment.id());
    *kept.Add() = it == by_id.end() ? fragment : *it->second;
  }
  proto().mutable_fragments()->Swap(&kept);
}

arrow::Status Builder::ApplyOverwrite(const Transaction::Overwrite& overwrite) {
  if (overwrite.initial_bases_size() > 0)
    return arrow::Status::NotImplemented("tables over several base paths");
  next_->data_version = data_version_;
  proto().clear_fragments();
  *proto().mutable_fields() = overwrite.schema();
  *proto().mutable_schema_metadata() = overwrite.schema_metadata();
  for (const auto& [key, value] : overwrite.config_upsert_values()) (*proto().mutable_config())[key] = value;
  next_->indexes.clear_indices();
  AddFragments(overwrite.fragments(), 0);
  return arrow::Status::OK();
}

arrow::Status Builder::ApplyDelete(const Transaction::Delete& deletion) {
  ReplaceFragments(deletion.updated_fragments(),
                   {deletion.deleted_fragment_ids().begin(), deletion.deleted_fragment_ids().end()});
  return RetainIndexes();
}

arrow::Status Builder::ApplyUpdate(const Transaction::Update& update) {
  ReplaceFragments(update.updated_fragments(),
                   {update.removed_fragment_ids().begin(), update.removed_fragment_ids().end()});
  AddFragments(update.new_fragments(), NextFragmentId());
  const std::set<int32_t> modified(update.fields_modified().begin(), update.fields_modified().end());
  for (IndexMetadata& index : *next_->indexes.mutable_indices()) {
    const bool touched = std::any_of(index.fields().begin(), index.fields().end(),
                                     [&](int32_t field) { return modified.contains(field); });
    if (!touched || index.fragment_bitmap().empty()) continue;
    ARROW_ASSIGN_OR_RAISE(auto bitmap, ParseFragmentBitmap(index));
    for (const DataFragment& fragment : update.updated_fragments())
      bitmap.remove(static_cast<uint32_t>(fragment.id()));
    index.set_fragment_bitmap(SerializeBitmap(bitmap));
  }
  ARROW_RETURN_NOT_OK(RetainIndexes());
  MergeGenerations(update.merged_generations());
  return arrow::Status::OK();
}

void Builder::ApplyCreateIndex(const Transaction::CreateIndex& create) {
  std::set<std::string> replaced;
  for (const IndexMetadata& index : create.removed_indices()) replaced.insert(index.uuid().uuid());
  for (const IndexMetadata& index : create.new_indices()) replaced.insert(index.uuid().uuid());
  auto* indexes = next_->indexes.mutable_indices();
  indexes->erase(
      std::remove_if(indexes->begin(), indexes->end(),
                     [&](const IndexMetadata& index) { return replaced.contains(index.uuid().uuid()); }),
      indexes->end());
  for (const IndexMetadata& index : create.new_indices()) *indexes->Add() = index;
}

/// Applies an update to a map of strings.
template <typename Map>
void ApplyMap(const Transaction::UpdateMap& update, Map* map) {
  if (update.replace()) map->clear();
  for (const auto& entry : update.update_entries()) {
    if (entry.has_value()) {
      (*map)[entry.key()] = entry.value();
    } else {
      map->erase(entry.key());
    }
  }
}

arrow::Status Builder::ApplyUpdateConfig(const Transaction::UpdateConfig& update) {
  if (update.upsert_values_size() + update.delete_keys_size() + update.schema_metadata_size() +
          update.field_metadata_size() >
      0) {
    return arrow::Status::NotImplemented("the deprecated form of UpdateConfig");
  }
  ApplyMap(update.config_updates(), proto().mutable_config());
  ApplyMap(update.table_metadata_updates(), proto().mutable_table_metadata());
  ApplyMap(update.schema_metadata_updates(), proto().mutable_schema_metadata());
  for (const auto& [id, metadata] : update.field_metadata_updates()) {
    const auto field = std::find_if(proto().mutable_fields()->begin(), proto().mutable_fields()->end(),
                                    [id = id](const lance::file::Field& field) { return field.id() == id; });
    if (field == proto().mutable_fields()->end()) {
      return arrow::Status::Invalid("Field with id ", id, " does not exist in the schema");
    }
    ApplyMap(metadata, field->mutable_metadata());
  }
  return arrow::Status::OK();
}

arrow::Status Builder::ApplyReserveFragments(const Transaction::ReserveFragments& reserve) {
  const uint64_t max_id = uint64_t{proto().max_fragment_id()} + reserve.num_fragments();
  if (max_id > std::numeric_limits<uint32_t>::max())
    return arrow::Status::Invalid("no ids are left for ", reserve.num_fragments(), " fragments");
  proto().set_max_fragment_id(static_cast<uint32_t>(max_id));
  return arrow::Status::OK();
}

/// Drops indexes over columns that are gone, and vector indexes that cover no fragment any more.
arrow::Status Builder::RetainIndexes() {
  std::set<int32_t> fields;
  for (const auto& field : proto().fields()) fields.insert(field.id());
  Roaring fragments;
  for (const DataFragment& fragment : proto().fragments())
    fragments.add(static_cast<uint32_t>(fragment.id()));
  const auto is_gone = [&](const IndexMetadata& index) -> arrow::Result<bool> {
    if (std::any_of(index.fields().begin(), index.fields().end(),
                    [&](int32_t id) { return !fields.contains(id); })) {
      return true;
    }
    if (!index.index_details().type_url().ends_with("VectorIndexDetails")) return false;
    if (index.fragment_bitmap().empty()) return true;
    ARROW_ASSIGN_OR_RAISE(const auto covered, ParseFragmentBitmap(index));
    return !covered.intersect(fragments);
  };
  auto* indexes = next_->indexes.mutable_indices();
  for (auto it = indexes->begin(); it != indexes->end();) {
    ARROW_ASSIGN_OR_RAISE(const bool gone, is_gone(*it));
    it = gone ? indexes->erase(it) : it + 1;
  }
  return arrow::Status::OK();
}

void Builder::MergeGenerations(
    const google::protobuf::RepeatedPtrField<lance::table::MergedGeneration>& generations) {
  if (generations.empty()) return;
  IndexMetadata entry;
  auto* indexes = next_->indexes.mutable_indices();
  const auto old = std::find_if(indexes->begin(), indexes->end(),
                                [](const IndexMetadata& index) { return index.name() == kMemWalIndexName; });
  lance::table::MemWalIndexDetails details;
  if (old != indexes->end()) {
    (void)details.ParseFromString(old->index_details().value());
    indexes->erase(old);
  }
  for (const auto& merged : generations) {
    auto* known = details.mutable_merged_generations();
    const auto it = std::find_if(known->begin(), known->end(), [&](const auto& generation) {
      return generation.shard_id().uuid() == merged.shard_id().uuid();
    });
    if (it == known->end()) {
      *known->Add() = merged;
    } else {
      it->set_generation(std::max(it->generation(), merged.generation()));
    }
  }
  const Uuid uuid = Uuid::Random();
  entry.mutable_uuid()->set_uuid(uuid.bytes.data(), uuid.bytes.size());
  entry.set_name(kMemWalIndexName);
  entry.set_dataset_version(proto().version());
  entry.set_index_version(0);
  entry.set_created_at(static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                                 std::chrono::system_clock::now().time_since_epoch())
                                                 .count()));
  entry.mutable_index_details()->set_type_url("/lance.table.MemWalIndexDetails");
  entry.mutable_index_details()->set_value(details.SerializeAsString());
  *indexes->Add() = std::move(entry);
}

arrow::Status Builder::Apply() {
  switch (transaction_.operation_case()) {
    case Transaction::kAppend:
      AddFragments(transaction_.append().fragments(), NextFragmentId());
      return arrow::Status::OK();
    case Transaction::kOverwrite:
      return ApplyOverwrite(transaction_.overwrite());
    case Transaction::kDelete:
      return ApplyDelete(transaction_.delete_());
    case Transaction::kUpdate:
      return ApplyUpdate(transaction_.update());
    case Transaction::kCreateIndex:
      ApplyCreateIndex(transaction_.create_index());
      return arrow::Status::OK();
    case Transaction::kUpdateConfig:
      return ApplyUpdateConfig(transaction_.update_config());
    case Transaction::kReserveFragments:
      return ApplyReserveFragments(transaction_.reserve_fragments());
    default:
      return arrow::Status::NotImplemented("committing operation ",
                                           static_cast<int>(transaction_.operation_case()));
  }
}

/// One version for all files, and one column index per field.
arrow::Status Builder::CheckDataFiles() {
  const auto [major, minor] = DataFileNumbers(next_->data_version);
  for (const DataFragment& fragment : proto().fragments()) {
    for (const auto& file : fragment.files()) {
      if (file.file_major_version() != major || file.file_minor_version() != minor) {
        return arrow::Status::Invalid("The operation added files with version ", file.file_major_version(),
                                      ".", file.file_minor_version(), " to a table of version ",
                                      ToString(next_->data_version));
      }
      if (file.fields_size() != file.column_indices_size() || file.fields_size() == 0) {
        return arrow::Status::Invalid("data file ", file.path(), " has ", file.fields_size(), " fields and ",
                                      file.column_indices_size(), " column indices");
      }
    }
  }
  return arrow::Status::OK();
}

/// Everything that is new in every manifest.
void Builder::Stamp() {
  bool deletions = false;
  for (const DataFragment& fragment : proto().fragments()) {
    deletions |= fragment.has_deletion_file();
    if (!proto().has_max_fragment_id() || proto().max_fragment_id() < fragment.id()) {
      proto().set_max_fragment_id(static_cast<uint32_t>(fragment.id()));
    }
  }
  const uint64_t shared =
      (deletions ? kFlagDeletionFiles : 0) | (proto().base_paths_size() > 0 ? kFlagBasePaths : 0);
  proto().set_reader_feature_flags(shared);
  proto().set_writer_feature_flags(shared | (proto().config_size() > 0 ? kFlagTableConfig : 0));
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now);
  proto().mutable_timestamp()->set_seconds(seconds.count());
  proto().mutable_timestamp()->set_nanos(
      static_cast<int32_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now - seconds).count()));
  proto().set_tag(transaction_.tag());
  proto().mutable_writer_version()->Clear();
  proto().mutable_writer_version()->set_library(kLibraryName);
  proto().mutable_writer_version()->set_version(kLibraryVersion);
  proto().mutable_data_format()->set_file_format("lance");
  proto().mutable_data_format()->set_version(std::string(ToString(next_->data_version)));
  proto().set_transaction_file(std::to_string(transaction_.read_version()) + "-" + transaction_.uuid() +
                               ".txn");
  next_->transaction = transaction_;
}

arrow::Result<std::shared_ptr<const Manifest>> Builder::Build() {
  if (base_ == nullptr) {
    if (!transaction_.has_overwrite()) return arrow::Status::Invalid("only Overwrite creates a table");
  } else if ((base_->proto.writer_feature_flags() & ~uint64_t{kAllKnownFlags}) != 0) {
    return MakeError(
        arrow::StatusCode::NotImplemented, ErrorKind::kUnsupportedFeature,
        "This dataset cannot be written by this version of Pilum: its writer feature flags are " +
            std::to_string(base_->proto.writer_feature_flags()));
  } else if ((base_->proto.writer_feature_flags() & kFlagStableRowIds) != 0) {
    return arrow::Status::NotImplemented("writing to tables with stable row ids");
  } else if (base_->proto.has_branch()) {
    return arrow::Status::NotImplemented("writing to branches");
  }
  proto().set_version(base_ == nullptr ? 1 : base_->version() + 1);
  ARROW_RETURN_NOT_OK(Apply());
  if (next_->data_version == FormatVersion::kLegacy) {
    return arrow::Status::NotImplemented("writing to tables of format version 0.1, which are only read");
  }
  auto* fragments = proto().mutable_fragments();
  std::sort(fragments->pointer_begin(), fragments->pointer_end(),
            [](const DataFragment* a, const DataFragment* b) { return a->id() < b->id(); });
  ARROW_RETURN_NOT_OK(CheckFragments(*fragments));
  ARROW_RETURN_NOT_OK(CheckDataFiles());
  Stamp();
  ARROW_ASSIGN_OR_RAISE(next_->schema, Schema::FromProto(proto().fields(), proto().schema_metadata()));
  return std::shared_ptr<const Manifest>(next_);
}

}  // namespace

arrow::Result<std::shared_ptr<const Manifest>> BuildNextManifest(const Manifest* base,
                                                                 const Transaction& transaction,
                                                                 FormatVersion overwrite_version) {
  return Builder(base, transaction, overwrite_version).Build();
}

}  // namespace pilum
