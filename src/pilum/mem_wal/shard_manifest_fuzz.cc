// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a shard's latest manifest and its hint: a writer can claim the shard and change it, or gets a
// status.
#include "pilum/mem_wal/shard_manifest.h"

#include "pilum/fuzz_input.pb.h"
#include "pilum/fuzz_message.h"
#include "pilum/io/memory_store.h"
#include "pilum/mem_wal/shard_paths.h"
#include "pilum/util/reversed_name.h"

namespace pilum {

namespace {

constexpr auto kDurability = Durability::kProcessCrash;

const Uuid& ShardId() {
  static const Uuid id = *Uuid::FromBytes("0123456789abcdef");
  return id;
}
std::string ManifestPathOf(uint64_t version) {
  return ShardDirectory(ShardId()) + "/manifest/" + ReversedName(version) + ".binpb";
}
std::string HintPath() { return ShardDirectory(ShardId()) + "/manifest/version_hint.json"; }

void FuzzManifest(const fuzz::ShardManifestFiles& input) {
  const auto store = MakeMemoryStore();
  Require(store->Put(ManifestPathOf(2), AsSpan(input.manifest()), kDurability), "put");
  Require(store->Put(HintPath(), AsSpan(input.hint()), kDurability), "put");
  const ShardManifestStore manifests(store, ShardId(), kDurability);
  const auto latest = manifests.ReadLatest();
  if (!latest.ok() || !latest->has_value()) return;
  (void)ShardManifestStore::ToSnapshot(**latest, ShardId());
  (void)manifests.Initialize(1, {{"f", "v"}});
  const auto claimed = manifests.Claim(1);
  if (!claimed.ok()) return;
  Require(manifests.CheckFenced(claimed->writer_epoch()), "who has claimed a shard owns it");
  const auto updated = manifests.Update(claimed->writer_epoch(), [](auto* manifest) {
    manifest->set_current_generation(manifest->current_generation() / 2 + 1);
  });
  Require(updated.status(), "and can change it");
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  const auto store = MakeMemoryStore();
  const ShardManifestStore manifests(store, ShardId(), kDurability);
  Require(manifests.Initialize(3, {{"f", "v"}}).status(), "initialize");
  const auto claimed = manifests.Claim(3).ValueOrDie();
  Require(claimed.version() == 2, "the second version");
  fuzz::ShardManifestFiles input;
  input.set_manifest(store->Get(ManifestPathOf(2)).ValueOrDie()->ToString());
  input.set_hint(store->Get(HintPath()).ValueOrDie()->ToString());
  std::vector<std::string> seeds{input.SerializeAsString()};
  auto manifest = claimed;
  auto* generation = manifest.add_flushed_generations();
  generation->set_generation(1);
  generation->set_path("1_abc");
  input.set_manifest(manifest.SerializeAsString());
  seeds.push_back(input.SerializeAsString());
  return seeds;
}

}  // namespace pilum

PILUM_FUZZ_MESSAGE(pilum::fuzz::ShardManifestFiles, pilum::FuzzManifest)
