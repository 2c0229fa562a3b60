// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a deletion file of either kind: offsets lie in the fragment and come back from a file of their
// own.
#include "pilum/table/deletion_vector.h"

#include "pilum/fuzz_input.pb.h"
#include "pilum/fuzz_message.h"
#include "pilum/io/memory_store.h"

namespace pilum {

namespace {

using lance::table::DataFragment;

DataFragment FragmentOf(bool bitmap, uint64_t rows) {
  DataFragment fragment;
  fragment.set_physical_rows(rows);
  fragment.mutable_deletion_file()->set_file_type(bitmap ? lance::table::DeletionFile::BITMAP
                                                         : lance::table::DeletionFile::ARROW_ARRAY);
  return fragment;
}

void FuzzDeletionFile(const fuzz::DeletionFile& input) {
  const auto store = MakeMemoryStore();
  const std::string path = input.bitmap() ? "_deletions/0-0-0.bin" : "_deletions/0-0-0.arrow";
  Require(store->Put(path, AsSpan(input.bytes()), Durability::kProcessCrash), "put");
  DataFragment fragment = FragmentOf(input.bitmap(), input.physical_rows());
  const auto deleted = ReadDeletionVector(*store, fragment);
  if (!deleted.ok()) return;
  const auto kind = input.bitmap() ? DeletionFileKind::kBitmap : DeletionFileKind::kBySize;
  const auto file = WriteDeletionVector(*store, 0, 1, **deleted, kind, Durability::kProcessCrash);
  Require(file.status(), "offsets can be written");
  *fragment.mutable_deletion_file() = *file;
  const auto again = ReadDeletionVector(*store, fragment);
  Require(again.status(), "offsets come back");
  Require(**again == **deleted, "the same offsets");
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> seeds;
  DeletionVector deleted;
  for (uint32_t i = 0; i < 50; ++i) deleted.add(i * 3);
  for (const bool bitmap : {false, true}) {
    const auto store = MakeMemoryStore();
    const auto kind = bitmap ? DeletionFileKind::kBitmap : DeletionFileKind::kBySize;
    Require(WriteDeletionVector(*store, 0, 1, deleted, kind, Durability::kProcessCrash).status(), "write");
    fuzz::DeletionFile input;
    input.set_bitmap(bitmap);
    input.set_physical_rows(200);
    const auto listing = store->List("_deletions").ValueOrDie();
    input.set_bytes(store->Get("_deletions/" + listing.objects[0].name).ValueOrDie()->ToString());
    seeds.push_back(input.SerializeAsString());
  }
  return seeds;
}

}  // namespace pilum

PILUM_FUZZ_MESSAGE(pilum::fuzz::DeletionFile, pilum::FuzzDeletionFile)
