// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/shard_manifest.h"

#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <charconv>

#include "pilum/mem_wal/shard_paths.h"
#include "pilum/util/error.h"
#include "pilum/util/reversed_name.h"

namespace pilum {

namespace {

using lance::table::ShardManifest;

constexpr char kSuffix[] = ".binpb";
constexpr char kHintFile[] = "version_hint.json";
constexpr std::string_view kHintStart = "{\"version\":";
constexpr int kMaxClaims = 16;
constexpr int kMaxUpdates = 10;

/// The number in {"version":N}, or 0.
uint64_t ParseHint(std::string_view text) {
  if (!text.starts_with(kHintStart)) return 0;
  text.remove_prefix(kHintStart.size());
  uint64_t version = 0;
  std::from_chars(text.data(), text.data() + text.size(), version);
  return version;
}

ShardManifest FirstVersion(const Uuid& shard_id, uint32_t spec_id) {
  ShardManifest manifest;
  manifest.set_version(1);
  manifest.set_shard_spec_id(spec_id);
  manifest.set_current_generation(1);
  manifest.mutable_shard_id()->set_uuid(std::string(shard_id.AsBytes()));
  return manifest;
}

std::map<std::string, std::string> FieldValues(const ShardManifest& manifest) {
  std::map<std::string, std::string> values;
  for (const auto& entry : manifest.shard_field_entries()) values[entry.field_id()] = entry.value();
  return values;
}

/// What is wrong with the generations, or "". A number at or above the next one would be given away again.
std::string CheckGenerations(const ShardManifest& manifest) {
  if (manifest.current_generation() == 0) return "generation 0 takes writes, which is the base table";
  for (const auto& flushed : manifest.flushed_generations()) {
    const std::string& folder = flushed.path();
    if (flushed.generation() == 0 || flushed.generation() >= manifest.current_generation()) {
      return "generation " + std::to_string(flushed.generation()) + " is flushed, though " +
             std::to_string(manifest.current_generation()) + " takes writes";
    }
    if (folder.empty() || folder == "." || folder == ".." || folder.find('/') != std::string::npos)
      return "'" + folder + "' is no folder of the shard";
  }
  return "";
}

}  // namespace

ShardManifestStore::ShardManifestStore(std::shared_ptr<ObjectStore> table, const Uuid& shard_id,
                                       Durability durability)
    : table_(std::move(table)),
      shard_id_(shard_id),
      directory_(ShardDirectory(shard_id) + "/manifest"),
      durability_(durability) {}

std::string ShardManifestStore::PathOf(uint64_t version) const {
  return JoinPath(directory_, ReversedName(version) + kSuffix);
}

arrow::Result<uint64_t> ShardManifestStore::FindLatest() const {
  const auto hint = table_->Get(JoinPath(directory_, kHintFile));
  uint64_t latest = hint.ok() ? ParseHint(AsStringView(**hint)) : 0;
  if (latest > 0) {
    ARROW_ASSIGN_OR_RAISE(const bool exists, table_->Exists(PathOf(latest)));
    if (!exists) latest = 0;
  }
  if (latest == 0) {  // no hint, or one that leads nowhere
    ARROW_ASSIGN_OR_RAISE(const Listing listing, table_->List(directory_));
    for (const ObjectInfo& object : listing.objects) {
      latest = std::max(latest, ParseReversedFileName(object.name, kSuffix).value_or(0));
    }
    return latest;
  }
  for (;;) {  // a hint may lag behind
    ARROW_ASSIGN_OR_RAISE(const bool exists, table_->Exists(PathOf(latest + 1)));
    if (!exists) return latest;
    ++latest;
  }
}

arrow::Result<std::optional<ShardManifest>> ShardManifestStore::Read(uint64_t version) const {
  const std::string path = PathOf(version);
  auto bytes = table_->Get(path);
  if (!bytes.ok() && IsNotFound(bytes.status())) return std::nullopt;
  ARROW_RETURN_NOT_OK(bytes.status());
  ShardManifest manifest;
  const google::protobuf::LogSilencer silencer;
  if (!manifest.ParseFromArray((*bytes)->data(), static_cast<int>((*bytes)->size()))) {
    return CorruptFile(table_->Describe(path), 0, "the shard manifest does not parse");
  }
  if (manifest.version() != version || manifest.shard_id().uuid() != shard_id_.AsBytes()) {
    return CorruptFile(table_->Describe(path), 0, "the shard manifest is of another version or shard");
  }
  if (const std::string wrong = CheckGenerations(manifest); !wrong.empty())
    return CorruptFile(table_->Describe(path), 0, wrong);
  return manifest;
}

arrow::Result<std::optional<ShardManifest>> ShardManifestStore::ReadLatest() const {
  ARROW_ASSIGN_OR_RAISE(const uint64_t latest, FindLatest());
  if (latest == 0) return std::nullopt;
  return Read(latest);
}

arrow::Status ShardManifestStore::Write(const ShardManifest& manifest) const {
  const std::string path = PathOf(manifest.version());
  ARROW_RETURN_NOT_OK(table_->PutIfAbsent(path, AsSpan(manifest.SerializeAsString()), durability_));
  const std::string hint = std::string(kHintStart) + std::to_string(manifest.version()) + "}";
  (void)table_->Put(JoinPath(directory_, kHintFile), AsSpan(hint), Durability::kProcessCrash);
  return arrow::Status::OK();
}

arrow::Status ShardManifestStore::Fenced(uint64_t epoch, uint64_t stored) const {
  return MakeError(arrow::StatusCode::IOError, ErrorKind::kFencedWriter,
                   "Writer fenced: local epoch " + std::to_string(epoch) + " < stored epoch " +
                       std::to_string(stored) + " for shard " + shard_id_.ToString());
}

arrow::Status ShardManifestStore::CheckFenced(uint64_t epoch) const {
  ARROW_ASSIGN_OR_RAISE(const auto latest, ReadLatest());
  if (latest && latest->writer_epoch() > epoch) return Fenced(epoch, latest->writer_epoch());
  return arrow::Status::OK();
}

arrow::Result<ShardManifest> ShardManifestStore::Initialize(
    uint32_t spec_id, const std::map<std::string, std::string>& field_values) const {
  ShardManifest manifest = FirstVersion(shard_id_, spec_id);
  for (const auto& [field_id, value] : field_values) {
    auto* entry = manifest.add_shard_field_entries();
    entry->set_field_id(field_id);
    entry->set_value(value);
  }
  const auto status = Write(manifest);
  if (status.ok()) return manifest;
  if (!status.IsAlreadyExists()) return status;
  ARROW_ASSIGN_OR_RAISE(auto latest, ReadLatest());
  if (!latest || latest->shard_spec_id() != spec_id || FieldValues(*latest) != field_values) {
    return arrow::Status::AlreadyExists("shard ", shard_id_.ToString(),
                                        " exists with another spec or other field values");
  }
  return *std::move(latest);
}

arrow::Result<ShardManifest> ShardManifestStore::Claim(uint32_t spec_id) const {
  for (int attempt = 0; attempt < kMaxClaims; ++attempt) {
    ARROW_ASSIGN_OR_RAISE(const auto latest, ReadLatest());
    ShardManifest manifest;
    if (latest) {
      if (latest->status() != 0) return arrow::Status::Invalid("shard ", shard_id_.ToString(), " is sealed");
      manifest = *latest;
      manifest.set_version(manifest.version() + 1);
    } else {
      manifest = FirstVersion(shard_id_, spec_id);
    }
    manifest.set_writer_epoch(manifest.writer_epoch() + 1);
    const auto status = Write(manifest);
    if (status.ok()) return manifest;
    if (!status.IsAlreadyExists()) return status;
    ARROW_ASSIGN_OR_RAISE(const auto winner, ReadLatest());
    if (winner && winner->writer_epoch() >= manifest.writer_epoch()) {
      return MakeError(arrow::StatusCode::IOError, ErrorKind::kFencedWriter,
                       "another writer claimed epoch " + std::to_string(winner->writer_epoch()) +
                           " of shard " + shard_id_.ToString());
    }
  }
  return arrow::Status::IOError("could not claim shard ", shard_id_.ToString(), " in ", kMaxClaims,
                                " attempts");
}

arrow::Result<ShardManifest> ShardManifestStore::Update(
    uint64_t epoch, const std::function<void(ShardManifest*)>& change) const {
  for (int attempt = 0; attempt < kMaxUpdates; ++attempt) {
    ARROW_ASSIGN_OR_RAISE(auto latest, ReadLatest());
    if (!latest) return arrow::Status::IOError("shard ", shard_id_.ToString(), " has no manifest");
    if (latest->writer_epoch() > epoch) return Fenced(epoch, latest->writer_epoch());
    latest->set_version(latest->version() + 1);
    change(&*latest);
    const auto status = Write(*latest);
    if (status.ok()) return *std::move(latest);
    if (!status.IsAlreadyExists()) return status;
  }
  return arrow::Status::IOError("could not update the manifest of shard ", shard_id_.ToString(), " in ",
                                kMaxUpdates, " attempts");
}

ShardSnapshot ShardManifestStore::ToSnapshot(const ShardManifest& manifest, const Uuid& shard_id) {
  ShardSnapshot snapshot(shard_id);
  snapshot.with_spec_id(manifest.shard_spec_id()).with_current_generation(manifest.current_generation());
  for (const auto& flushed : manifest.flushed_generations()) {
    snapshot.with_flushed_generation(flushed.generation(), flushed.path());
  }
  return snapshot;
}

}  // namespace pilum
