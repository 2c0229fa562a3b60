// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/generation_writer.h"

#include <arrow/array/util.h>
#include <arrow/compute/api.h>

#include <chrono>
#include <limits>

#include "pilum/dataset/dataset.h"
#include "pilum/file/written_type.h"
#include "pilum/index/scalar/btree_index.h"
#include "pilum/io/memory_store.h"
#include "pilum/mem_wal/shard_paths.h"
#include "pilum/table/bitmap.h"
#include "pilum/table/deletion_vector.h"
#include "pilum/table/versions.h"
#include "pilum/util/uuid.h"

namespace pilum {

namespace {

constexpr int64_t kPkIndexPageRows = 8192;
constexpr int64_t kMaintainedPageRows = 4096;

/// Hands out the batches of a memtable in insert order.
class MemTableReader final : public arrow::RecordBatchReader {
 public:
  explicit MemTableReader(const MemTable& memtable) : memtable_(memtable) {}
  std::shared_ptr<arrow::Schema> schema() const override { return memtable_.schema()->arrow(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    *batch = next_ < memtable_.num_batches() ? memtable_.batches()[next_++].batch : nullptr;
    return arrow::Status::OK();
  }

 private:
  const MemTable& memtable_;
  int64_t next_ = 0;
};

arrow::Result<std::shared_ptr<arrow::ChunkedArray>> ColumnOf(const MemTable& memtable,
                                                             const std::string& column) {
  arrow::ArrayVector chunks;
  for (int64_t i = 0; i < memtable.num_batches(); ++i)
    chunks.push_back(memtable.batches()[i].batch->GetColumnByName(column));
  return arrow::ChunkedArray::Make(std::move(chunks));
}

/// (value, position) of a column, nulls first.
arrow::Result<arrow::RecordBatchVector> SortColumn(const std::shared_ptr<arrow::ChunkedArray>& values) {
  const arrow::compute::ArraySortOptions order(arrow::compute::SortOrder::Ascending,
                                               arrow::compute::NullPlacement::AtStart);
  ARROW_ASSIGN_OR_RAISE(const auto positions, arrow::compute::SortIndices(*values, order));
  ARROW_ASSIGN_OR_RAISE(const auto sorted, arrow::compute::Take(values, positions));
  const auto schema =
      arrow::schema({arrow::field("values", values->type()), arrow::field("ids", arrow::uint64(), false)});
  const auto table =
      arrow::Table::Make(schema, {sorted.chunked_array(), std::make_shared<arrow::ChunkedArray>(positions)});
  return arrow::TableBatchReader(*table).ToRecordBatches();
}

arrow::Status WriteMaintainedIndex(const StoreLocation& generation, const MemTable& memtable,
                                   const MaintainedIndex& wanted, const Manifest& manifest,
                                   const GenerationOptions& options, lance::table::IndexMetadata* entry) {
  const SchemaField* field = manifest.schema->FindField(wanted.column);
  if (field == nullptr)
    return arrow::Status::Invalid("the indexed column ", wanted.column, " is not in the memtable");
  const Uuid uuid = Uuid::Random();
  ARROW_ASSIGN_OR_RAISE(const auto values, ColumnOf(memtable, wanted.column));
  ARROW_ASSIGN_OR_RAISE(const auto sorted, SortColumn(values));
  BTreeWriteOptions write;
  write.page_rows = kMaintainedPageRows;
  write.version = options.data_version;
  write.durability = options.durability;
  const auto directory = SubStore(generation.store, "_indices/" + uuid.ToString());
  ARROW_ASSIGN_OR_RAISE(const auto files, WriteBTreeIndex(*directory, field->arrow->type(), sorted, write));
  entry->mutable_uuid()->set_uuid(std::string(uuid.AsBytes()));
  entry->set_name(wanted.name);
  entry->add_fields(field->id);
  entry->set_dataset_version(1);
  DeletionVector covered;
  covered.add(0u);
  entry->set_fragment_bitmap(SerializeBitmap(covered));
  entry->mutable_index_details()->set_type_url("/lance.table.BTreeIndexDetails");
  entry->set_index_version(0);
  for (const auto& file : files) {
    auto* written = entry->add_files();
    written->set_path(file.path);
    written->set_size_bytes(static_cast<uint64_t>(file.size_bytes));
  }
  return arrow::Status::OK();
}

/// Adds hidden rows and indexes to the manifest of version 1, in place: nobody can have read it yet. As
/// upstream leaves it, without a transaction.
arrow::Status RewriteManifest(const StoreLocation& generation, Manifest manifest, const MemTable& memtable,
                              const GenerationOptions& options) {
  const DeletionVector superseded = memtable.SupersededRows();
  if (superseded.isEmpty() && options.maintained_indexes.empty()) return arrow::Status::OK();
  if (!superseded.isEmpty()) {
    ARROW_ASSIGN_OR_RAISE(*manifest.proto.mutable_fragments(0)->mutable_deletion_file(),
                          WriteDeletionVector(*generation.store, 0, 1, superseded, DeletionFileKind::kBitmap,
                                              options.durability));
  }
  for (const MaintainedIndex& wanted : options.maintained_indexes) {
    ARROW_RETURN_NOT_OK(WriteMaintainedIndex(generation, memtable, wanted, manifest, options,
                                             manifest.indexes.add_indices()));
  }
  manifest.transaction.reset();
  manifest.proto.clear_transaction_file();
  return generation.store->Put(ManifestPath(1, ManifestNaming::kV2), AsSpan(manifest.Serialize()),
                               options.durability);
}

arrow::Status WritePkIndex(const StoreLocation& generation, const MemTable& memtable, Durability durability) {
  if (memtable.primary_key().empty()) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto sorted, memtable.SortedKeys(kPkIndexPageRows));
  BTreeWriteOptions options;
  options.page_rows = kPkIndexPageRows;
  options.version = FormatVersion::k2_0;
  options.durability = durability;
  const auto directory = SubStore(generation.store, kPkIndexDirectory);
  return WriteBTreeIndex(*directory, memtable.primary_key().index_type(), sorted, options).status();
}

/// Whether files of `version` hold the rows.
bool Holds(FormatVersion version, const MemTable& memtable) {
  const auto& fields = memtable.schema()->arrow()->fields();
  for (size_t column = 0; column < fields.size(); ++column) {
    const arrow::Field& field = *fields[column];
    if (!CheckWritable(field, version).ok()) return false;
    for (int64_t i = 0; i < memtable.num_batches(); ++i) {
      const arrow::RecordBatch& batch = *memtable.batches()[i].batch;
      if (!CheckNulls(*batch.column_data(static_cast<int>(column)), field, version).ok()) return false;
    }
  }
  return true;
}

/// The version of the table, unless the rows, which another engine may have logged, have nulls it does not
/// hold: null structs in version 2.0.
FormatVersion VersionFor(const MemTable& memtable, FormatVersion table) {
  for (const auto version : {table, FormatVersion::k2_1, FormatVersion::k2_2}) {
    if (Holds(version, memtable)) return version;
  }
  return table;
}

}  // namespace

arrow::Status CheckCanBeMaintained(const MaintainedIndex& index, const std::shared_ptr<arrow::DataType>& type,
                                   FormatVersion version) {
  const auto write_one = [&]() -> arrow::Status {
    // Arrow's order of floating point numbers is not the index's.
    if (arrow::is_floating(type->id())) return arrow::Status::NotImplemented("floating point numbers");
    ARROW_ASSIGN_OR_RAISE(const auto value, arrow::MakeArrayOfNull(type, 1));
    ARROW_ASSIGN_OR_RAISE(const auto sorted, SortColumn(std::make_shared<arrow::ChunkedArray>(value)));
    BTreeWriteOptions options;
    options.version = version;
    return WriteBTreeIndex(*MakeMemoryStore(), type, sorted, options).status();
  };
  const auto status = write_one();
  if (status.ok()) return status;
  return arrow::Status::NotImplemented("maintaining the index '", index.name, "' on column '", index.column,
                                       "' of type ", type->ToString(), ": ", status.message());
}

arrow::Result<std::string> WriteGeneration(const StoreLocation& table, const std::string& shard_directory,
                                           const MemTable& memtable, const GenerationOptions& options) {
  if (memtable.num_rows() == 0) return arrow::Status::Invalid("a generation needs rows");
  const std::string folder = RandomHex(4) + "_gen_" + std::to_string(memtable.generation());
  const std::string path = JoinPath(shard_directory, folder);
  const StoreLocation generation{SubStore(table.store, path), JoinPath(table.uri, path)};
  WriteOptions write;
  write.max_rows_per_file = std::numeric_limits<int64_t>::max();
  write.max_bytes_per_file = std::numeric_limits<int64_t>::max();
  write.data_storage_version = VersionFor(memtable, options.data_version);
  write.durability = options.durability;
  ARROW_ASSIGN_OR_RAISE(const auto written,
                        Dataset::Write(std::make_shared<MemTableReader>(memtable), generation, write));
  ARROW_RETURN_NOT_OK(RewriteManifest(generation, written->manifest(), memtable, options));
  ARROW_RETURN_NOT_OK(
      generation.store->Put(kBloomFilterFile, AsSpan(memtable.bloom_filter().ToBytes()), options.durability));
  ARROW_RETURN_NOT_OK(WritePkIndex(generation, memtable, options.durability));
  return folder;
}

}  // namespace pilum
