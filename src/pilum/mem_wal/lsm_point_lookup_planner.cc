// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/lsm_point_lookup_planner.h"

#include <arrow/compute/api.h>

#include <algorithm>

#include "pilum/dataset/index_search.h"
#include "pilum/dataset/projection.h"
#include "pilum/dataset/scanner.h"
#include "pilum/exec/plan_nodes.h"
#include "pilum/mem_wal/lsm_plan_nodes.h"

namespace pilum {

namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

/// The columns to read of one source: those of the table, and of the base also the row ids asked for.
std::vector<std::string> SourceColumns(const LsmProjection& projection, bool is_base) {
  std::vector<std::string> columns = projection.table_columns();
  for (const char* name : {kRowIdColumn, kRowAddressColumn}) {
    if (is_base && projection.Has(name)) columns.emplace_back(name);
  }
  return columns;
}

/// @param dataset the base table or a generation.
ScanOptions SourceScanOptions(const Dataset& dataset, bool is_base, const LsmProjection& projection) {
  ScanOptions options;
  options.columns = SourceColumns(projection, is_base);
  options.use_scalar_index = is_base || HasWholeIndexes(dataset);
  options.blob_handling = BlobHandling::kBinary;  // as in memtables
  options.json_as_text = false;
  return options;
}

}  // namespace

LsmPointLookupPlanner::LsmPointLookupPlanner(LsmDataSourceCollector collector, PrimaryKey key,
                                             std::shared_ptr<const Schema> schema, LsmProjection all)
    : collector_(std::move(collector)),
      key_(std::move(key)),
      schema_(std::move(schema)),
      all_(std::move(all)) {
  session_ =
      collector_.base_table() != nullptr ? collector_.base_table()->session() : std::make_shared<Session>();
  cache_ = std::make_shared<FlushedMemTableCache>();
}

arrow::Result<std::shared_ptr<LsmPointLookupPlanner>> LsmPointLookupPlanner::Make(
    LsmDataSourceCollector collector, const std::vector<std::string>& pk_columns,
    std::shared_ptr<const Schema> base_schema) {
  ARROW_ASSIGN_OR_RAISE(auto key, PrimaryKey::ForRead(*base_schema, pk_columns));
  if (key.empty()) return arrow::Status::Invalid("No primary key columns specified");
  ARROW_ASSIGN_OR_RAISE(auto all, LsmProjection::Make(base_schema->arrow(), key, std::nullopt));
  return std::shared_ptr<LsmPointLookupPlanner>(new LsmPointLookupPlanner(
      std::move(collector), std::move(key), std::move(base_schema), std::move(all)));
}

LsmPointLookupPlanner& LsmPointLookupPlanner::WithSession(std::shared_ptr<Session> session) {
  session_ = std::move(session);
  return *this;
}

LsmPointLookupPlanner& LsmPointLookupPlanner::WithFlushedCache(std::shared_ptr<FlushedMemTableCache> cache) {
  cache_ = std::move(cache);
  return *this;
}

LsmPointLookupPlanner& LsmPointLookupPlanner::WithWarmer(GenerationWarmer warmer) {
  warmer_ = std::move(warmer);
  return *this;
}

LsmPointLookupPlanner& LsmPointLookupPlanner::WithBloomFilter(const Uuid& shard_id, uint64_t generation,
                                                              SplitBlockBloomFilter filter) {
  bloom_filters_.insert_or_assign({shard_id, generation}, std::move(filter));
  return *this;
}

LsmPointLookupPlanner& LsmPointLookupPlanner::WithBloomFilters(
    std::vector<std::pair<std::pair<Uuid, uint64_t>, SplitBlockBloomFilter>> filters) {
  for (auto& [source, filter] : filters) bloom_filters_.insert_or_assign(source, std::move(filter));
  return *this;
}

arrow::Result<LsmProjection> LsmPointLookupPlanner::NewProjection(const Columns& columns) const {
  if (!columns) return all_;
  return LsmProjection::Make(schema_->arrow(), key_, columns);
}

// ---- lookups ----

arrow::Result<BatchPtr> LsmPointLookupPlanner::Lookup(const Scalars& values, const Columns& columns) const {
  if (!columns) return Lookup(values, all_);
  ARROW_ASSIGN_OR_RAISE(const auto projection, NewProjection(columns));
  return Lookup(values, projection);
}

arrow::Result<BatchPtr> LsmPointLookupPlanner::Lookup(const Scalars& values,
                                                      const LsmProjection& projection) const {
  ARROW_ASSIGN_OR_RAISE(const auto key, key_.Coerce(values));
  if (!key) return nullptr;
  std::string encoded;
  key_.Encode(*key, &encoded);
  MemTables memtables;
  // On-disk sources after the memtables: a generation that is flushed between the two looks is then in both,
  // never in neither.
  ARROW_RETURN_NOT_OK(collector_.CollectMemTables(&memtables));
  for (const auto& memtable : memtables) {
    if (const auto row = FindNewestRow(*memtable, key_, encoded, memtable->visible_rows())) {
      ARROW_ASSIGN_OR_RAISE(const auto applied, projection.Apply(row));
      return projection.Show(applied);
    }
  }
  ARROW_ASSIGN_OR_RAISE(const auto row, LookupOnDisk(*key, encoded, projection));
  return row == nullptr ? row : projection.Show(row);
}

arrow::Result<BatchPtr> LsmPointLookupPlanner::LookupOnDisk(const Scalars& key, std::string_view encoded,
                                                            const LsmProjection& projection) const {
  ARROW_ASSIGN_OR_RAISE(const auto sources, collector_.Collect());
  const auto index_value = IndexValue(key, encoded);
  const uint64_t bloom_hash = key_.bloom_filter_is_usable() ? key_.BloomHash(key) : 0;
  for (const LsmSource& source : sources) {
    BatchPtr row;
    switch (source.kind) {
      case LsmSource::kMemTable:  // a memtable that appeared since
        row = FindNewestRow(*source.memtable, key_, encoded, source.memtable->visible_rows());
        break;
      case LsmSource::kFlushed: {
        ARROW_ASSIGN_OR_RAISE(row, LookupFlushed(source, key, *index_value, bloom_hash, projection));
        break;
      }
      case LsmSource::kBaseTable: {
        ARROW_ASSIGN_OR_RAISE(row, LookupBase(key, projection));
        break;
      }
    }
    if (row != nullptr) return projection.Apply(row);
  }
  return nullptr;
}

arrow::Result<BatchPtr> LsmPointLookupPlanner::LookupFlushed(const LsmSource& source, const Scalars& key,
                                                             const arrow::Scalar& index_value,
                                                             uint64_t bloom_hash,
                                                             const LsmProjection& projection) const {
  ARROW_ASSIGN_OR_RAISE(const auto generation, OpenGeneration(source.path));
  const SplitBlockBloomFilter* filter = FilterOf(source, generation.get());
  if (filter != nullptr && !filter->MightContain(bloom_hash)) return nullptr;
  const Dataset& dataset = *generation->dataset();
  if (!generation->has_pk_index()) return ScanFirst(dataset, key, projection, false, std::nullopt);
  ARROW_ASSIGN_OR_RAISE(const auto row, generation->FindNewest(index_value));
  if (!row) return nullptr;
  return dataset.TakeAddresses({&*row, 1}, projection.table_columns(), BlobHandling::kBinary);
}

arrow::Result<BatchPtr> LsmPointLookupPlanner::LookupBase(const Scalars& key,
                                                          const LsmProjection& projection) const {
  const Dataset& base = *collector_.base_table();
  const SchemaField* column = key_.is_composite() ? nullptr : schema_->FindField(key_.fields()[0]->name());
  const auto segments = column == nullptr ? std::vector<const lance::table::IndexMetadata*>()
                                          : BTreeSegmentsOn(base.manifest(), column->id);
  if (segments.empty() || (base.manifest().proto.reader_feature_flags() & kFlagStableRowIds) != 0) {
    return ScanFirst(base, key, projection, true, std::nullopt);
  }
  ARROW_ASSIGN_OR_RAISE(const auto value, arrow::MakeArrayFromScalar(*key[0], 1));
  ARROW_ASSIGN_OR_RAISE(const auto found,
                        SearchBTree(*base.session(), base.location(), base.manifest(), segments, *value));
  for (const uint64_t address : found.addresses) {
    ARROW_ASSIGN_OR_RAISE(const auto row, base.TakeAddresses({&address, 1}, SourceColumns(projection, true),
                                                             BlobHandling::kBinary));
    if (row->num_rows() > 0) return row;  // else it is deleted
  }
  std::vector<uint64_t> uncovered;
  for (const auto& fragment : base.manifest().fragments()) {
    if (!found.covered.contains(static_cast<uint32_t>(fragment.id()))) uncovered.push_back(fragment.id());
  }
  if (uncovered.empty()) return nullptr;
  return ScanFirst(base, key, projection, true, std::move(uncovered));
}

arrow::Result<BatchPtr> LsmPointLookupPlanner::ScanFirst(
    const Dataset& dataset, const Scalars& key, const LsmProjection& projection, bool is_base,
    std::optional<std::vector<uint64_t>> fragments) const {
  auto options = SourceScanOptions(dataset, is_base, projection);
  options.filter_expression = KeyFilter(key);
  options.limit = 1;
  options.fragment_ids = std::move(fragments);
  ARROW_ASSIGN_OR_RAISE(const auto scanner, dataset.NewScan(options));
  ARROW_ASSIGN_OR_RAISE(const auto reader, scanner->ToReader());
  return reader->Next();
}

arrow::Result<BatchPtr> LsmPointLookupPlanner::LookupMany(const std::vector<Scalars>& keys,
                                                          const Columns& columns) const {
  ARROW_ASSIGN_OR_RAISE(const auto projection, NewProjection(columns));
  arrow::RecordBatchVector rows;
  for (const Scalars& key : keys) {
    ARROW_ASSIGN_OR_RAISE(auto row, Lookup(key, projection));
    if (row != nullptr) rows.push_back(std::move(row));
  }
  if (rows.empty()) return arrow::RecordBatch::MakeEmpty(projection.shown_schema());
  return rows.size() == 1 ? rows[0] : arrow::ConcatenateRecordBatches(rows);
}

// ---- plans ----

arrow::Result<PlanPtr> LsmPointLookupPlanner::PlanPointLookup(const std::vector<Scalars>& keys,
                                                              const Columns& columns) const {
  ARROW_ASSIGN_OR_RAISE(auto rows, LookupMany(keys, columns));
  return MakeBatchPlan(std::move(rows));
}

arrow::Result<PlanPtr> LsmPointLookupPlanner::PlanLookup(const Scalars& values,
                                                         const Columns& columns) const {
  ARROW_ASSIGN_OR_RAISE(const auto projection, NewProjection(columns));
  ARROW_ASSIGN_OR_RAISE(const auto key, key_.Coerce(values));
  ARROW_ASSIGN_OR_RAISE(const auto sources, collector_.Collect());
  if (sources.empty() || !key) return MakeEmptyPlan(projection.shown_schema());
  std::string encoded;
  key_.Encode(*key, &encoded);
  std::vector<PlanPtr> arms;
  for (const LsmSource& source : sources) {
    ARROW_ASSIGN_OR_RAISE(arms.emplace_back(), PlanSource(source, *key, encoded, projection));
  }
  return MakeJsonTextPlan(MakeCoalesceFirstPlan(std::move(arms)));
}

arrow::Result<PlanPtr> LsmPointLookupPlanner::PlanSource(const LsmSource& source, const Scalars& key,
                                                         std::string_view encoded,
                                                         const LsmProjection& projection) const {
  const auto one = [&](PlanPtr plan) {
    return MakeLimitPlan(MakeProjectionPlan(std::move(plan), projection.schema()), 0, 1);
  };
  const auto scan = [&](const std::shared_ptr<const Dataset>& dataset,
                        bool is_base) -> arrow::Result<PlanPtr> {
    auto options = SourceScanOptions(*dataset, is_base, projection);
    options.filter_expression = KeyFilter(key);
    ARROW_ASSIGN_OR_RAISE(auto scanner, dataset->NewScan(options));
    return one(MakeDatasetScanPlan(dataset, std::move(scanner)));
  };
  if (source.kind == LsmSource::kBaseTable) return scan(source.base, true);
  if (source.kind == LsmSource::kMemTable) {
    return one(MakeMemTableLookupPlan(source.memtable, source.memtable->visible_rows(), key_, key));
  }
  ARROW_ASSIGN_OR_RAISE(const auto generation, OpenGeneration(source.path));
  PlanPtr plan;
  if (generation->has_pk_index()) {
    ARROW_ASSIGN_OR_RAISE(const auto columns, generation->dataset()->NewProjection(projection.table_columns(),
                                                                                   BlobHandling::kBinary));
    plan = one(MakeGenerationLookupPlan(generation, columns->schema(), key, IndexValue(key, encoded)));
  } else {
    ARROW_ASSIGN_OR_RAISE(plan, scan(generation->dataset(), false));
  }
  const SplitBlockBloomFilter* filter = FilterOf(source, generation.get());
  if (filter == nullptr) return plan;
  return MakeBloomFilterGuardPlan(std::move(plan), std::make_shared<SplitBlockBloomFilter>(*filter),
                                  source.generation, key_.BloomHash(key));
}

// ---- helpers ----

arrow::Result<std::shared_ptr<const GenerationReader>> LsmPointLookupPlanner::OpenGeneration(
    const std::string& path) const {
  ARROW_ASSIGN_OR_RAISE(auto generation, cache_->GetOrOpen(collector_.location(), path, session_));
  if (warmer_) warmer_(path);
  return generation;
}

const SplitBlockBloomFilter* LsmPointLookupPlanner::FilterOf(const LsmSource& source,
                                                             const GenerationReader* reader) const {
  if (!key_.bloom_filter_is_usable()) return nullptr;
  const auto registered = bloom_filters_.find({*source.shard_id, source.generation});
  return registered != bloom_filters_.end() ? &registered->second : reader->bloom_filter();
}

std::shared_ptr<arrow::Scalar> LsmPointLookupPlanner::IndexValue(const Scalars& key,
                                                                 std::string_view encoded) const {
  if (!key_.is_composite()) return key[0];
  return std::make_shared<arrow::BinaryScalar>(arrow::Buffer::FromString(std::string(encoded)));
}

arrow::compute::Expression LsmPointLookupPlanner::KeyFilter(const Scalars& key) const {
  namespace cp = arrow::compute;
  std::vector<cp::Expression> terms;
  for (size_t i = 0; i < key.size(); ++i) {
    terms.push_back(cp::equal(cp::field_ref(key_.fields()[i]->name()), cp::literal(arrow::Datum(key[i]))));
  }
  return cp::and_(terms);
}

}  // namespace pilum
