// SPDX-License-Identifier: Apache-2.0
//
// Tables of (a: int64, s: string with nulls) in a store that counts and fails, for tests.
#pragma once

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "pilum/dataset/dataset.h"
#include "pilum/dataset/scanner.h"
#include "pilum/index/scalar/btree_index.h"
#include "pilum/io/memory_store.h"
#include "pilum/io/observed_store.h"
#include "pilum/table/deletion_vector.h"
#include "pilum/util/uuid.h"

namespace pilum {

inline std::shared_ptr<arrow::Schema> TableSchema() {
  return arrow::schema({arrow::field("a", arrow::int64()), arrow::field("s", arrow::utf8())});
}

/// Rows a = begin .. end - 1, s = "s<a>", null where a % 4 is 3.
inline std::shared_ptr<arrow::RecordBatch> Sequence(int64_t begin, int64_t end) {
  arrow::Int64Builder a;
  arrow::StringBuilder s;
  for (int64_t i = begin; i < end; ++i) {
    EXPECT_TRUE(a.Append(i).ok());
    EXPECT_TRUE((i % 4 == 3 ? s.AppendNull() : s.Append("s" + std::to_string(i))).ok());
  }
  return arrow::RecordBatch::Make(TableSchema(), end - begin,
                                  {a.Finish().ValueOrDie(), s.Finish().ValueOrDie()});
}

/// Column "a" of a table.
inline std::vector<int64_t> ValuesOf(const std::shared_ptr<arrow::Table>& table) {
  std::vector<int64_t> values;
  for (const auto& chunk : table->GetColumnByName("a")->chunks()) {
    const auto& array = static_cast<const arrow::Int64Array&>(*chunk);
    for (int64_t i = 0; i < array.length(); ++i) values.push_back(array.Value(i));
  }
  return values;
}

class DatasetTest : public ::testing::Test {
 protected:
  arrow::Result<std::shared_ptr<Dataset>> Write(const arrow::RecordBatchVector& batches,
                                                WriteOptions options = {}) {
    const auto schema = batches.empty() ? TableSchema() : batches[0]->schema();
    ARROW_ASSIGN_OR_RAISE(auto reader, arrow::RecordBatchReader::Make(batches, schema));
    return Dataset::Write(std::move(reader), location_, options);
  }
  arrow::Result<std::shared_ptr<Dataset>> Append(const std::shared_ptr<arrow::RecordBatch>& batch) {
    WriteOptions options;
    options.mode = WriteMode::kAppend;
    return Write({batch}, options);
  }
  /// Rows 0 .. n - 1 in files of `rows_per_file`.
  std::shared_ptr<Dataset> Create(int64_t n, int64_t rows_per_file) {
    WriteOptions options;
    options.max_rows_per_file = rows_per_file;
    return Write({Sequence(0, n)}, options).ValueOrDie();
  }
  /// A version in which these offsets of a fragment are deleted.
  std::shared_ptr<Dataset> Delete(const std::shared_ptr<Dataset>& dataset, int fragment,
                                  const std::vector<uint32_t>& offsets,
                                  DeletionFileKind kind = DeletionFileKind::kBySize) {
    DeletionVector deleted;
    for (const uint32_t offset : offsets) deleted.add(offset);
    lance::table::Transaction transaction;
    auto* updated = transaction.mutable_delete_()->add_updated_fragments();
    *updated = dataset->manifest().fragments()[fragment];
    *updated->mutable_deletion_file() =
        WriteDeletionVector(*location_.store, updated->id(), dataset->version(), deleted, kind,
                            Durability::kProcessCrash)
            .ValueOrDie();
    return dataset->Commit(transaction).ValueOrDie();
  }
  /// Adds a BTree on "a" over the first `fragments` fragments.
  std::shared_ptr<Dataset> AddIndex(const std::shared_ptr<Dataset>& dataset, int fragments) {
    const Uuid uuid = Uuid::Random();
    arrow::Int64Builder values;
    arrow::UInt64Builder ids;
    DeletionVector covered;
    for (int f = 0; f < fragments; ++f) {
      const auto& fragment = dataset->manifest().fragments()[f];
      covered.add(static_cast<uint32_t>(fragment.id()));
      ScanOptions options;
      options.fragment_ids = {fragment.id()};
      const auto rows = ValuesOf(dataset->NewScan(options).ValueOrDie()->ToTable().ValueOrDie());
      for (size_t i = 0; i < rows.size(); ++i) {
        EXPECT_TRUE(values.Append(rows[i]).ok() && ids.Append(fragment.id() << 32 | i).ok());
      }
    }
    const auto schema =
        arrow::schema({arrow::field("values", arrow::int64()), arrow::field("ids", arrow::uint64(), false)});
    const int64_t n = values.length();
    const auto sorted =
        arrow::RecordBatch::Make(schema, n, {values.Finish().ValueOrDie(), ids.Finish().ValueOrDie()});
    const auto directory = SubStore(location_.store, "_indices/" + uuid.ToString());
    EXPECT_TRUE(WriteBTreeIndex(*directory, arrow::int64(), {sorted}, {}).ok());
    lance::table::Transaction transaction;
    auto* index = transaction.mutable_create_index()->add_new_indices();
    index->mutable_uuid()->set_uuid(std::string(uuid.AsBytes()));
    index->set_name("a_idx");
    index->add_fields(0);
    index->mutable_index_details()->set_type_url("/lance.table.BTreeIndexDetails");
    std::string bitmap(covered.getSizeInBytes(), '\0');
    covered.write(bitmap.data());
    index->set_fragment_bitmap(bitmap);
    return dataset->Commit(transaction).ValueOrDie();
  }
  size_t NumDataFiles() { return location_.store->List("data").ValueOrDie().objects.size(); }

  std::shared_ptr<FaultInjector> faults_ = std::make_shared<FaultInjector>();
  std::shared_ptr<StoreCounter> counter_ = std::make_shared<StoreCounter>();
  StoreLocation location_{ObserveStore(ObserveStore(MakeMemoryStore(), faults_), counter_), "table"};
};

}  // namespace pilum
