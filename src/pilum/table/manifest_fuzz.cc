// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a manifest: what is accepted comes back from its own bytes.
#include "pilum/table/manifest.h"

#include "pilum/fuzz_target.h"
#include "pilum/io/object_store.h"
#include "pilum/table/next_manifest.h"
#include "pilum/table/test_transactions.h"

namespace pilum {

std::vector<std::string> FuzzSeeds() {
  const auto first = BuildNextManifest(nullptr, TestOverwrite({100, 50}), FormatVersion::k2_1).ValueOrDie();
  const auto second = BuildNextManifest(first.get(), TestAppend(1, 7), FormatVersion::k2_1).ValueOrDie();
  auto indexed = *second;
  auto* index = indexed.indexes.add_indices();
  index->set_name("by_id");
  index->add_fields(0);
  return {first->Serialize(), second->Serialize(), indexed.Serialize()};
}

}  // namespace pilum

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const pilum::ExactBytes bytes({reinterpret_cast<const char*>(data), size});
  const auto manifest = pilum::Manifest::Parse(bytes, "m");
  if (!manifest.ok()) return 0;
  for (const auto& fragment : (*manifest)->fragments()) (void)pilum::NumLiveRows(fragment);
  const std::string again = (*manifest)->Serialize();
  const auto parsed = pilum::Manifest::Parse(pilum::AsSpan(again), "m");
  pilum::Require(parsed.status(), "a manifest comes back");
  pilum::Require((*parsed)->Serialize().size() == again.size(), "as the same manifest");
  return 0;
}
