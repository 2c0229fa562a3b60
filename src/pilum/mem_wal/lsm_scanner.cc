// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/lsm_scanner.h"

#include <algorithm>

#include "pilum/dataset/scanner.h"
#include "pilum/exec/plan_nodes.h"
#include "pilum/expr/filter.h"
#include "pilum/mem_wal/lsm_plan_nodes.h"
#include "pilum/util/error.h"

namespace pilum {

LsmScanner::LsmScanner(LsmDataSourceCollector collector, PrimaryKey key, std::shared_ptr<const Schema> schema)
    : collector_(std::move(collector)), key_(std::move(key)), schema_(std::move(schema)) {
  session_ =
      collector_.base_table() != nullptr ? collector_.base_table()->session() : std::make_shared<Session>();
  cache_ = std::make_shared<FlushedMemTableCache>();
}

arrow::Result<std::shared_ptr<LsmScanner>> LsmScanner::Make(LsmDataSourceCollector collector,
                                                            const std::vector<std::string>& pk_columns,
                                                            std::shared_ptr<const Schema> base_schema) {
  ARROW_ASSIGN_OR_RAISE(auto key, PrimaryKey::ForRead(*base_schema, pk_columns));
  if (key.empty()) {
    return arrow::Status::Invalid(
        "Dataset has no primary key. Set 'lance-schema:unenforced-primary-key' metadata on the primary key "
        "field(s).");
  }
  return std::shared_ptr<LsmScanner>(
      new LsmScanner(std::move(collector), std::move(key), std::move(base_schema)));
}

LsmScanner& LsmScanner::WithSession(std::shared_ptr<Session> session) {
  session_ = std::move(session);
  return *this;
}

LsmScanner& LsmScanner::WithFlushedCache(std::shared_ptr<FlushedMemTableCache> cache) {
  cache_ = std::move(cache);
  return *this;
}

LsmScanner& LsmScanner::Project(std::vector<std::string> columns) {
  columns_ = std::move(columns);
  return *this;
}

arrow::Status LsmScanner::Filter(const std::string& sql) {
  auto parsed = ParseFilter(sql, *schema_->arrow());
  if (!parsed.ok()) return Annotate(parsed.status(), "Failed to parse filter expression: ");
  filter_ = *std::move(parsed);
  return arrow::Status::OK();
}

LsmScanner& LsmScanner::Limit(int64_t limit, std::optional<int64_t> offset) {
  limit_ = limit;
  offset_ = offset.value_or(0);
  return *this;
}

LsmScanner& LsmScanner::WithRowAddress() {
  with_row_address_ = true;
  return *this;
}

LsmScanner& LsmScanner::WithMemtableGen() {
  with_memtable_gen_ = true;
  return *this;
}

arrow::Result<LsmProjection> LsmScanner::MakeProjection() const {
  if (!with_row_address_ ||
      (columns_ && std::find(columns_->begin(), columns_->end(), kRowAddressColumn) != columns_->end())) {
    return LsmProjection::Make(schema_->arrow(), key_, columns_);
  }
  // After the key columns, which are appended where they are missing.
  ARROW_ASSIGN_OR_RAISE(const auto without, LsmProjection::Make(schema_->arrow(), key_, columns_));
  auto names = without.schema()->field_names();
  names.emplace_back(kRowAddressColumn);
  return LsmProjection::Make(schema_->arrow(), key_, names);
}

arrow::Result<std::vector<LsmScanner::Input>> LsmScanner::CaptureInputs() const {
  ARROW_ASSIGN_OR_RAISE(auto sources, collector_.Collect());
  std::vector<Input> inputs;
  for (LsmSource& source : sources) {
    Input input;
    input.source = std::move(source);
    if (input.source.kind == LsmSource::kMemTable) {
      input.visible_rows = input.source.memtable->visible_rows();
      input.keys = MakeMemTableKeys(input.source.memtable, input.visible_rows);
    } else if (input.source.kind == LsmSource::kFlushed) {
      ARROW_ASSIGN_OR_RAISE(input.generation,
                            cache_->GetOrOpen(collector_.location(), input.source.path, session_));
      input.keys = MakeFlushedKeys(input.generation, key_, input.source.generation);
    }
    inputs.push_back(std::move(input));
  }
  return inputs;
}

arrow::Result<PlanPtr> LsmScanner::ScanDataset(const std::shared_ptr<const Dataset>& dataset,
                                               const LsmProjection& projection, bool is_base) const {
  ScanOptions options;
  options.columns = projection.table_columns();
  if (is_base && projection.Has(kRowAddressColumn)) options.columns->emplace_back(kRowAddressColumn);
  options.filter_expression = filter_;
  options.use_scalar_index = is_base || HasWholeIndexes(*dataset);
  options.blob_handling = BlobHandling::kBinary;  // as in memtables
  options.json_as_text = false;
  ARROW_ASSIGN_OR_RAISE(auto scanner, dataset->NewScan(options));
  return MakeDatasetScanPlan(dataset, std::move(scanner));
}

arrow::Result<PlanPtr> LsmScanner::PlanInput(const Input& input, const LsmProjection& projection,
                                             std::vector<std::shared_ptr<GenerationKeys>> newer) const {
  PlanPtr plan;
  switch (input.source.kind) {
    case LsmSource::kMemTable:
      plan = MakeMemTableScanPlan(input.source.memtable, input.visible_rows, filter_);
      break;
    case LsmSource::kFlushed: {
      ARROW_ASSIGN_OR_RAISE(plan, ScanDataset(input.generation->dataset(), projection, false));
      break;
    }
    case LsmSource::kBaseTable: {
      ARROW_ASSIGN_OR_RAISE(plan, ScanDataset(input.source.base, projection, true));
      break;
    }
  }
  plan = MakeBlockFilterPlan(std::move(plan), key_, std::move(newer));
  plan = MakeProjectionPlan(std::move(plan), projection.schema());
  return with_memtable_gen_ ? MakeGenerationTagPlan(std::move(plan), input.source) : plan;
}

arrow::Result<PlanPtr> LsmScanner::CreatePlan() const {
  if (limit_.value_or(0) < 0 || offset_ < 0)
    return arrow::Status::Invalid("limit and offset must be non-negative");
  ARROW_ASSIGN_OR_RAISE(const auto projection, MakeProjection());
  ARROW_ASSIGN_OR_RAISE(const auto inputs, CaptureInputs());
  std::vector<PlanPtr> arms;
  for (const Input& input : inputs) {  // newest first, the base last
    std::vector<std::shared_ptr<GenerationKeys>> newer;
    for (const Input& other : inputs) {
      const bool same_shard =
          other.source.shard_id == input.source.shard_id && other.source.generation > input.source.generation;
      if (other.keys != nullptr && (input.source.kind == LsmSource::kBaseTable || same_shard))
        newer.push_back(other.keys);
    }
    ARROW_ASSIGN_OR_RAISE(arms.emplace_back(), PlanInput(input, projection, std::move(newer)));
  }
  if (arms.empty()) {
    arms.push_back(MakeEmptyPlan(projection.schema()));
    if (with_memtable_gen_) arms[0] = MakeGenerationTagPlan(arms[0], LsmSource());
  }
  PlanPtr plan = MakeUnionPlan(std::move(arms));
  plan = limit_ || offset_ > 0 ? MakeLimitPlan(std::move(plan), offset_, limit_) : plan;
  return MakeJsonTextPlan(std::move(plan));
}

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> LsmScanner::ToReader() const {
  ARROW_ASSIGN_OR_RAISE(const auto plan, CreatePlan());
  return plan->Execute();
}

arrow::Result<std::shared_ptr<arrow::Table>> LsmScanner::ToTable() const {
  ARROW_ASSIGN_OR_RAISE(const auto reader, ToReader());
  return reader->ToTable();
}

arrow::Result<int64_t> LsmScanner::CountRows() const {
  LsmScanner keys_only = *this;
  keys_only.columns_.emplace();
  keys_only.with_row_address_ = keys_only.with_memtable_gen_ = false;
  ARROW_ASSIGN_OR_RAISE(const auto reader, keys_only.ToReader());
  int64_t count = 0;
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
    if (batch == nullptr) return count;
    count += batch->num_rows();
  }
}

}  // namespace pilum
