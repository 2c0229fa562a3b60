// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as the two files of a BTree index: ids or a status; values looked up together are found as on
// their own.
#include "pilum/index/scalar/btree_index.h"

#include <arrow/array.h>
#include <arrow/json/from_string.h>

#include "pilum/fuzz_input.pb.h"
#include "pilum/fuzz_message.h"
#include "pilum/index/scalar/btree_files.h"
#include "pilum/io/memory_store.h"

namespace pilum {

namespace {

constexpr auto kDurability = Durability::kProcessCrash;

std::shared_ptr<arrow::Array> Values(const std::shared_ptr<arrow::DataType>& type) {
  const bool text = arrow::is_base_binary_like(type->id());
  return arrow::json::ArrayFromJSONString(
             type, text ? R"([null, "", "a", "b", "b", "carrot"])" : "[null, 0, 1, 2, 2, 100]")
      .ValueOrDie();
}

void FuzzIndex(const fuzz::BTreeFiles& input) {
  const auto store = MakeMemoryStore();
  Require(store->Put(kBTreeLookupFile, AsSpan(input.lookup()), kDurability), "put");
  Require(store->Put(kBTreePageFile, AsSpan(input.pages()), kDurability), "put");
  const auto index = BTreeIndex::Open(store);
  if (!index.ok()) return;
  (void)(*index)->AllIds();
  if (!arrow::is_integer((*index)->value_type()->id()) &&
      !arrow::is_base_binary_like((*index)->value_type()->id()))
    return;
  const auto values = Values((*index)->value_type());
  const auto many = (*index)->LookupMany(*values);
  for (int64_t i = 0; i < values->length(); ++i) {
    const auto one = (*index)->Lookup(*values->GetScalar(i).ValueOrDie());
    if (!many.ok()) continue;
    Require(one.status(), "a value is found on its own");
    Require(*one == (*many)[static_cast<size_t>(i)], "as it is with others");
  }
}

std::string Seed(const std::shared_ptr<arrow::DataType>& type, FormatVersion version) {
  const auto store = MakeMemoryStore();
  const auto values = Values(type);
  const auto ids = arrow::json::ArrayFromJSONString(arrow::uint64(), "[5, 4, 3, 2, 2, 0]").ValueOrDie();
  const auto schema =
      arrow::schema({arrow::field("values", type), arrow::field("ids", arrow::uint64(), false)});
  BTreeWriteOptions options;
  options.page_rows = 2;
  options.version = version;
  options.durability = kDurability;
  const auto batch = arrow::RecordBatch::Make(schema, values->length(), {values, ids});
  Require(WriteBTreeIndex(*store, type, {batch}, options).status(), "write");
  fuzz::BTreeFiles input;
  input.set_lookup(store->Get(kBTreeLookupFile).ValueOrDie()->ToString());
  input.set_pages(store->Get(kBTreePageFile).ValueOrDie()->ToString());
  return input.SerializeAsString();
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> seeds;
  for (const auto version : {FormatVersion::k2_0, FormatVersion::k2_1}) {
    for (const auto& type : {arrow::int64(), arrow::uint8(), arrow::utf8(), arrow::large_binary()}) {
      seeds.push_back(Seed(type, version));
    }
  }
  return seeds;
}

}  // namespace pilum

PILUM_FUZZ_MESSAGE(pilum::fuzz::BTreeFiles, pilum::FuzzIndex)
