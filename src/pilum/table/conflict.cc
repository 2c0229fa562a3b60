// SPDX-License-Identifier: Apache-2.0
#include "pilum/table/conflict.h"

#include <algorithm>
#include <set>
#include <string>

#include "pilum/table/bitmap.h"
#include "pilum/util/error.h"

namespace pilum {

namespace {

using lance::table::Transaction;
using Ids = std::set<uint64_t>;

// How the operation of a row fares after the operation of a column was committed. Columns in the order of the
// protocol numbers: Append, Delete, Overwrite, CreateIndex, Rewrite, Merge, Restore, ReserveFragments,
// Update, Project, UpdateConfig, DataReplacement, UpdateMemWalState, Clone, UpdateBases.
//   +  compatible               R  retry on the latest version      I  give up
//   f  R if both touch a fragment                       x  inserted keys: R; else compatible
//   X  inserted keys on both sides: R; else f           k  I if both set a config key
//   o  as k, else R                                     i  indexes of the same name
//   w  indexes over rewritten fragments                 d  indexes over replaced columns
//   m  MemWAL details over a MemWAL state               g  the same merged generations
//   s  I if schema metadata is updated, else k          c  any two updates of the same map
constexpr const char* RowOf(Transaction::OperationCase self) {
  switch (self) {
    case Transaction::kAppend:
      return "++I+++I+++++I++";
    case Transaction::kDelete:
      return "+fI+fRI+f++fI++";
    case Transaction::kOverwrite:
      return "++o+++++++k+I++";
    case Transaction::kCreateIndex:
      return "++Iiw+I++++dm++";
    case Transaction::kReserveFragments:
      return "++I+++I++++++++";
    case Transaction::kUpdate:
      return "xfI+fRI+X++fg++";
    case Transaction::kUpdateConfig:
      return "++s+++++++c++++";
    default:
      return nullptr;
  }
}

void AddFragments(const google::protobuf::RepeatedPtrField<lance::table::DataFragment>& fragments, Ids* ids) {
  for (const auto& fragment : fragments) ids->insert(fragment.id());
}

/// The fragments an operation changes or removes.
Ids TouchedFragments(const Transaction& transaction) {
  Ids ids;
  if (transaction.has_delete_()) {
    AddFragments(transaction.delete_().updated_fragments(), &ids);
    ids.insert(transaction.delete_().deleted_fragment_ids().begin(),
               transaction.delete_().deleted_fragment_ids().end());
  } else if (transaction.has_update()) {
    AddFragments(transaction.update().updated_fragments(), &ids);
    ids.insert(transaction.update().removed_fragment_ids().begin(),
               transaction.update().removed_fragment_ids().end());
  } else if (transaction.has_rewrite()) {
    AddFragments(transaction.rewrite().old_fragments(), &ids);
    for (const auto& group : transaction.rewrite().groups()) AddFragments(group.old_fragments(), &ids);
  } else if (transaction.has_data_replacement()) {
    for (const auto& group : transaction.data_replacement().replacements()) ids.insert(group.fragment_id());
  }
  return ids;
}

bool Intersect(const Ids& a, const Ids& b) {
  for (const uint64_t id : a) {
    if (b.contains(id)) return true;
  }
  return false;
}

/// The config keys an operation sets or removes.
std::set<std::string> ConfigKeys(const Transaction& transaction) {
  std::set<std::string> keys;
  if (transaction.has_overwrite()) {
    for (const auto& [key, value] : transaction.overwrite().config_upsert_values()) keys.insert(key);
  } else if (transaction.has_update_config()) {
    const auto& update = transaction.update_config();
    for (const auto& [key, value] : update.upsert_values()) keys.insert(key);
    keys.insert(update.delete_keys().begin(), update.delete_keys().end());
    for (const auto& entry : update.config_updates().update_entries()) keys.insert(entry.key());
  }
  return keys;
}

bool ConfigCollides(const Transaction& a, const Transaction& b) {
  const auto theirs = ConfigKeys(b);
  for (const std::string& key : ConfigKeys(a)) {
    if (theirs.contains(key)) return true;
  }
  return false;
}

bool MapsCollide(const Transaction::UpdateMap& a, const Transaction::UpdateMap& b) {
  if (a.update_entries_size() + a.replace() == 0 || b.update_entries_size() + b.replace() == 0) return false;
  if (a.replace() || b.replace()) return true;
  for (const auto& mine : a.update_entries()) {
    for (const auto& theirs : b.update_entries()) {
      if (mine.key() == theirs.key()) return true;
    }
  }
  return false;
}

bool TouchesSchemaMetadata(const Transaction::UpdateConfig& update) {
  return update.schema_metadata_size() > 0 || update.has_schema_metadata_updates();
}

bool UpdatesCollide(const Transaction::UpdateConfig& a, const Transaction::UpdateConfig& b) {
  if (MapsCollide(a.table_metadata_updates(), b.table_metadata_updates())) return true;
  if (TouchesSchemaMetadata(a) && TouchesSchemaMetadata(b)) return true;
  for (const auto& [id, update] : a.field_metadata_updates()) {
    if (b.field_metadata_updates().contains(id) || b.field_metadata().contains(static_cast<uint32_t>(id)))
      return true;
  }
  return false;
}

bool IndexNamesCollide(const Transaction::CreateIndex& a, const Transaction::CreateIndex& b) {
  for (const auto& mine : a.new_indices()) {
    for (const auto& theirs : b.new_indices()) {
      if (mine.name() == theirs.name()) return true;
    }
  }
  return false;
}

/// Whether a new index covers, or may cover, a fragment that was rewritten.
bool IndexesCover(const Transaction::CreateIndex& create, const Ids& rewritten) {
  for (const auto& index : create.new_indices()) {
    if (index.fields().empty()) continue;  // system indexes know no fragments
    if (index.fragment_bitmap().empty()) return true;
    const auto bitmap = ParseFragmentBitmap(index);
    if (!bitmap.ok()) return true;
    for (const uint64_t id : rewritten) {
      if (bitmap->contains(static_cast<uint32_t>(id))) return true;
    }
  }
  return false;
}

bool IndexesReplacedColumns(const Transaction::CreateIndex& create,
                            const Transaction::DataReplacement& other) {
  for (const auto& index : create.new_indices()) {
    for (const auto& group : other.replacements()) {
      for (const int32_t field : index.fields()) {
        const auto& fields = group.new_file().fields();
        if (std::find(fields.begin(), fields.end(), field) != fields.end()) return true;
      }
    }
  }
  return false;
}

enum class Verdict { kCompatible, kRetry, kGiveUp };

/// Merges of the same generation: done already, or to be done again on top of an older one.
Verdict CheckGenerations(const Transaction::Update& self, const Transaction::UpdateMemWalState& other) {
  Verdict verdict = Verdict::kCompatible;
  for (const auto& mine : self.merged_generations()) {
    for (const auto& theirs : other.merged_generations()) {
      if (mine.shard_id().uuid() != theirs.shard_id().uuid()) continue;
      if (theirs.generation() >= mine.generation()) return Verdict::kGiveUp;
      verdict = Verdict::kRetry;
    }
  }
  return verdict;
}

Verdict Check(char rule, const Transaction& self, const Transaction& other) {
  const auto retry_if = [](bool conflict) { return conflict ? Verdict::kRetry : Verdict::kCompatible; };
  const auto give_up_if = [](bool conflict) { return conflict ? Verdict::kGiveUp : Verdict::kCompatible; };
  switch (rule) {
    case '+':
      return Verdict::kCompatible;
    case 'R':
      return Verdict::kRetry;
    case 'f':
      return retry_if(Intersect(TouchedFragments(self), TouchedFragments(other)));
    case 'x':
      return retry_if(self.update().has_inserted_rows());
    case 'X':
      return retry_if(self.update().has_inserted_rows() ||
                      Intersect(TouchedFragments(self), TouchedFragments(other)));
    case 'k':
      return give_up_if(ConfigCollides(self, other));
    case 'o':
      return ConfigCollides(self, other) ? Verdict::kGiveUp : Verdict::kRetry;
    case 'i':
      return retry_if(IndexNamesCollide(self.create_index(), other.create_index()));
    case 'w':
      return retry_if(IndexesCover(self.create_index(), TouchedFragments(other)));
    case 'd':
      return retry_if(IndexesReplacedColumns(self.create_index(), other.data_replacement()));
    case 'm': {
      // The details would have to take over the other's generations: nobody initialises a table while it
      // merges.
      const auto& created = self.create_index().new_indices();
      const bool initialises = !created.empty() && created[0].name() == kMemWalIndexName;
      return initialises ? Verdict::kRetry : Verdict::kGiveUp;
    }
    case 'g':
      return CheckGenerations(self.update(), other.update_mem_wal_state());
    case 's':
      return give_up_if(TouchesSchemaMetadata(self.update_config()) ||
                        self.update_config().field_metadata_updates_size() > 0 ||
                        ConfigCollides(self, other));
    case 'c':
      return give_up_if(ConfigCollides(self, other) ||
                        UpdatesCollide(self.update_config(), other.update_config()));
    default:
      return Verdict::kGiveUp;
  }
}

std::string NameOf(const Transaction& transaction) {
  const auto* field =
      Transaction::descriptor()->FindFieldByNumber(static_cast<int>(transaction.operation_case()));
  return field == nullptr ? "unknown operation" : field->message_type()->name();
}

}  // namespace

arrow::Status CheckConflict(const Transaction& self, const Transaction& other, uint64_t other_version) {
  const char* row = RowOf(self.operation_case());
  const int column = static_cast<int>(other.operation_case()) - static_cast<int>(Transaction::kAppend);
  if (row == nullptr) return arrow::Status::NotImplemented("committing a transaction of type ", NameOf(self));
  const bool known =
      column >= 0 && column <= static_cast<int>(Transaction::kUpdateBases - Transaction::kAppend);
  const Verdict verdict = known ? Check(row[column], self, other) : Verdict::kGiveUp;
  if (verdict == Verdict::kCompatible) return arrow::Status::OK();
  const std::string both = "This " + NameOf(self) + " transaction was preempted by concurrent " +
                           NameOf(other) + " at version " + std::to_string(other_version) + ".";
  if (verdict == Verdict::kRetry) {
    return MakeError(arrow::StatusCode::IOError, ErrorKind::kRetryableCommitConflict,
                     both + " Please retry.");
  }
  return MakeError(arrow::StatusCode::IOError, ErrorKind::kIncompatibleTransaction,
                   both + " It is incompatible.");
}

}  // namespace pilum
