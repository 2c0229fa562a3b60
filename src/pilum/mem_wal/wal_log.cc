// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/wal_log.h"

#include <algorithm>

#include "pilum/mem_wal/shard_paths.h"
#include "pilum/util/error.h"
#include "pilum/util/reversed_name.h"

namespace pilum {

namespace {

constexpr char kSuffix[] = ".arrow";
constexpr int kMaxCollisions = 1024;

}  // namespace

WalReader::WalReader(std::shared_ptr<ObjectStore> table, const Uuid& shard_id)
    : table_(std::move(table)), directory_(ShardDirectory(shard_id) + "/wal") {}

std::string WalReader::PathOf(uint64_t position) const {
  return JoinPath(directory_, ReversedName(position) + kSuffix);
}

arrow::Result<std::optional<WalEntry>> WalReader::Read(uint64_t position) const {
  const std::string path = PathOf(position);
  auto bytes = table_->Get(path);
  if (!bytes.ok() && IsNotFound(bytes.status())) return std::nullopt;
  ARROW_RETURN_NOT_OK(bytes.status());
  ARROW_ASSIGN_OR_RAISE(auto entry, ParseWalEntry(*bytes, table_->Describe(path)));
  return entry;
}

arrow::Result<std::vector<uint64_t>> WalReader::List() const {
  ARROW_ASSIGN_OR_RAISE(const Listing listing, table_->List(directory_));
  std::vector<uint64_t> positions;
  for (const ObjectInfo& object : listing.objects) {
    if (const auto position = ParseReversedFileName(object.name, kSuffix)) positions.push_back(*position);
  }
  std::sort(positions.begin(), positions.end());
  return positions;
}

arrow::Result<uint64_t> WalReader::FindTip(uint64_t after) const {
  ARROW_ASSIGN_OR_RAISE(const auto positions, List());
  uint64_t tip = after + 1;
  for (auto it = std::lower_bound(positions.begin(), positions.end(), tip);
       it != positions.end() && *it == tip; ++it)
    ++tip;
  return tip;
}

WalAppender::WalAppender(std::shared_ptr<ObjectStore> table, const ShardManifestStore* manifests,
                         uint64_t epoch, uint64_t next, Durability durability)
    : table_(table),
      reader_(std::move(table), manifests->shard_id()),
      manifests_(manifests),
      epoch_(epoch),
      durability_(durability),
      next_(next) {}

arrow::Result<bool> WalAppender::IsOurs(const std::string& path, const arrow::Buffer& bytes) const {
  ARROW_ASSIGN_OR_RAISE(const auto there, table_->Get(path));
  return there->Equals(bytes);
}

arrow::Result<uint64_t> WalAppender::Append(const std::shared_ptr<arrow::Buffer>& bytes) {
  for (int collision = 0; collision < kMaxCollisions; ++collision) {
    const std::string path = reader_.PathOf(next_);
    const auto status = table_->PutIfAbsent(path, AsSpan(*bytes), durability_);
    if (status.ok()) {
      outcome_unknown_ = false;
      return next_++;
    }
    if (!status.IsAlreadyExists()) {
      outcome_unknown_ = true;
      const auto fenced = manifests_->CheckFenced(epoch_);
      return HasErrorKind(fenced, ErrorKind::kFencedWriter) ? fenced : status;
    }
    if (outcome_unknown_) {
      ARROW_ASSIGN_OR_RAISE(const bool ours, IsOurs(path, *bytes));
      if (ours) {  // there, but perhaps not durable: once more over itself
        ARROW_RETURN_NOT_OK(table_->Put(path, AsSpan(*bytes), durability_));
        outcome_unknown_ = false;
        return next_++;
      }
    }
    outcome_unknown_ = false;
    ARROW_RETURN_NOT_OK(manifests_->CheckFenced(epoch_));
    ++next_;
  }
  return arrow::Status::IOError("gave up after ", kMaxCollisions, " taken positions up to ",
                                table_->Describe(reader_.PathOf(next_)));
}

}  // namespace pilum
