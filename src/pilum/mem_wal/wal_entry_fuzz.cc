// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as an entry of the log: batches that are accepted are whole, and come back from an entry of their
// own.
#include "pilum/mem_wal/wal_entry.h"

#include <arrow/api.h>
#include <arrow/json/from_string.h>

#include "pilum/fuzz_target.h"
#include "pilum/io/object_store.h"
#include "pilum/mem_wal/conform_batch.h"

namespace pilum {

namespace {

/// What a shard does with rows of its log. Any of it may be refused.
void FuzzReplay(const std::shared_ptr<arrow::RecordBatch>& batch) {
  const auto table = Schema::FromArrow(*batch->schema());
  if (!table.ok()) return;
  const auto rows = ConformFromLog(batch, **table);
  if (!rows.ok()) return;
  RequireValid(**rows);
  for (const auto version : {FormatVersion::k2_0, FormatVersion::k2_2})
    (void)ConformToSchema(*rows, (*rows)->schema(), version).ok();
}

void FuzzEntry(const ExactBytes& bytes) {
  const auto entry =
      ParseWalEntry(std::make_shared<arrow::Buffer>(bytes.data(), static_cast<int64_t>(bytes.size())), "w");
  if (!entry.ok()) return;
  arrow::RecordBatchVector batches;
  for (const auto& batch : entry->batches) {
    RequireValid(*batch);
    FuzzReplay(batch);
    if (batch->num_rows() > 0) batches.push_back(batch);
  }
  if (batches.empty()) return;
  const auto serialized = SerializeWalEntry(batches, entry->writer_epoch);
  if (!serialized.ok()) return;  // types that Arrow reads but does not write
  const auto again = ParseWalEntry(*serialized, "w");
  Require(again.status(), "an entry comes back");
  Require(again->writer_epoch == entry->writer_epoch && again->batches.size() == batches.size(),
          "with its epoch");
  for (size_t i = 0; i < batches.size(); ++i) {
    Require(again->batches[i]->Equals(*batches[i], false, arrow::EqualOptions().nans_equal(true)),
            "and its rows");
  }
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  const auto type =
      arrow::struct_({arrow::field("id", arrow::int64(), false), arrow::field("s", arrow::utf8()),
                      arrow::field("l", arrow::list(arrow::float32())),
                      arrow::field("d", arrow::dictionary(arrow::int8(), arrow::utf8()))});
  const auto rows = arrow::json::ArrayFromJSONString(type, R"([{"id": 7, "s": "H2", "l": [1, 2], "d": "x"},
                                                               {"id": 3, "s": null, "l": null, "d": "y"}])");
  const auto batch = arrow::RecordBatch::FromStructArray(rows.ValueOrDie()).ValueOrDie();
  const auto nested = arrow::list(
      arrow::list(arrow::struct_({arrow::field("x", arrow::int64(), false),
                                  arrow::field("d", arrow::dictionary(arrow::int8(), arrow::utf8()))})));
  const auto deep =
      arrow::json::ArrayFromJSONString(arrow::struct_({arrow::field("n", nested)}),
                                       R"([{"n": [[{"x": 1, "d": "a"}, null], [], null]}, {"n": []}])");
  const auto deep_batch = arrow::RecordBatch::FromStructArray(deep.ValueOrDie()).ValueOrDie();
  return {SerializeWalEntry({batch, batch->Slice(1)}, 5).ValueOrDie()->ToString(),
          SerializeWalEntry({deep_batch, deep_batch->Slice(1)}, 2).ValueOrDie()->ToString(),
          SerializeWalEntry({batch->SelectColumns({0, 1}).ValueOrDie()}, 1).ValueOrDie()->ToString(),
          SerializeFenceSentinel(2).ValueOrDie()->ToString()};
}

}  // namespace pilum

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pilum::FuzzEntry(pilum::ExactBytes({reinterpret_cast<const char*>(data), size}));
  return 0;
}
