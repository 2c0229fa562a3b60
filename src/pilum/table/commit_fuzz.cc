// SPDX-License-Identifier: Apache-2.0
//
// Any transaction on top of any version, beside any other: conflicts are decided, and the version it makes
// can be read.
#include "pilum/fuzz_input.pb.h"
#include "pilum/fuzz_message.h"
#include "pilum/io/object_store.h"
#include "pilum/table/conflict.h"
#include "pilum/table/next_manifest.h"
#include "pilum/table/test_transactions.h"

namespace pilum {

namespace {

void FuzzCommit(const fuzz::Commit& input) {
  (void)CheckConflict(input.transaction(), input.other(), 7);
  (void)BuildNextManifest(nullptr, input.transaction(), FormatVersion::k2_1);
  Manifest stored;
  stored.proto = input.base();
  stored.indexes = input.indexes();
  const auto base = Manifest::Parse(AsSpan(stored.Serialize()), "m");
  if (!base.ok()) return;
  const auto next = BuildNextManifest(base->get(), input.transaction(), FormatVersion::k2_1);
  if (!next.ok()) return;
  Require(Manifest::Parse(AsSpan((*next)->Serialize()), "m").status(), "a new version can be read");
}

std::string Seed(const Manifest& base, const lance::table::Transaction& transaction) {
  fuzz::Commit input;
  *input.mutable_base() = base.proto;
  *input.mutable_indexes() = base.indexes;
  *input.mutable_transaction() = transaction;
  *input.mutable_other() = TestDelete(1, base.fragments()[0]);
  return input.SerializeAsString();
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  auto base = *BuildNextManifest(nullptr, TestOverwrite({100, 50}), FormatVersion::k2_1).ValueOrDie();
  auto* index = base.indexes.add_indices();
  index->set_name("by_id");
  index->add_fields(0);
  std::vector<std::string> seeds{Seed(base, TestOverwrite({10})), Seed(base, TestAppend(1, 7)),
                                 Seed(base, TestDelete(1, base.fragments()[1]))};
  lance::table::Transaction update;
  update.set_read_version(1);
  *update.mutable_update()->add_updated_fragments() = base.fragments()[1];
  *update.mutable_update()->add_new_fragments() = TestFragment(3);
  update.mutable_update()->add_removed_fragment_ids(0);
  update.mutable_update()->add_merged_generations()->set_generation(4);
  seeds.push_back(Seed(base, update));
  lance::table::Transaction create_index;
  *create_index.mutable_create_index()->add_new_indices() = *index;
  seeds.push_back(Seed(base, create_index));
  lance::table::Transaction config;
  auto* entry = config.mutable_update_config()->mutable_config_updates()->add_update_entries();
  entry->set_key("k");
  entry->set_value("v");
  (*config.mutable_update_config()->mutable_field_metadata_updates())[0].set_replace(true);
  seeds.push_back(Seed(base, config));
  return seeds;
}

}  // namespace pilum

PILUM_FUZZ_MESSAGE(pilum::fuzz::Commit, pilum::FuzzCommit)
