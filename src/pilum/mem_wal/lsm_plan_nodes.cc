// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/lsm_plan_nodes.h"

#include <arrow/array.h>
#include <arrow/compute/api.h>
#include <arrow/util/bitmap_builders.h>

#include <algorithm>
#include <mutex>
#include <unordered_set>

#include "pilum/encoding/json_column.h"
#include "pilum/expr/filter.h"

namespace pilum {

namespace {

namespace cp = arrow::compute;
using BatchPtr = std::shared_ptr<arrow::RecordBatch>;
using ReaderPtr = std::shared_ptr<arrow::RecordBatchReader>;
using SchemaPtr = std::shared_ptr<arrow::Schema>;

/// A leaf whose rows come from one call.
ReaderPtr OneBatch(SchemaPtr schema, std::function<arrow::Result<BatchPtr>()> make) {
  return MakeReader(std::move(schema),
                    [make = std::move(make), done = false]() mutable -> arrow::Result<BatchPtr> {
                      if (done) return nullptr;
                      done = true;
                      ARROW_ASSIGN_OR_RAISE(auto batch, make());
                      return batch != nullptr && batch->num_rows() == 0 ? nullptr : batch;
                    });
}

std::string ShowKey(const PrimaryKey& primary_key, const PrimaryKey::Scalars& key) {
  std::string text;
  for (size_t i = 0; i < key.size(); ++i) {
    text += (i == 0 ? "" : " AND ") + primary_key.fields()[i]->name() + " = " + key[i]->ToString();
  }
  return text;
}

class DatasetScanExec final : public ExecutionPlan {
 public:
  DatasetScanExec(std::shared_ptr<const Dataset> dataset, std::shared_ptr<Scanner> scanner)
      : dataset_(std::move(dataset)), scanner_(std::move(scanner)) {}
  const SchemaPtr& schema() const override { return scanner_->schema(); }
  arrow::Result<ReaderPtr> Execute() const override { return scanner_->ToReader(); }
  std::string Describe() const override {
    std::string text = scanner_->Explain();
    while (text.ends_with('\n')) text.pop_back();
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
  }

 private:
  const std::shared_ptr<const Dataset> dataset_;
  const std::shared_ptr<Scanner> scanner_;
};

class MemTableLookupExec final : public ExecutionPlan {
 public:
  MemTableLookupExec(std::shared_ptr<const MemTable> memtable, int64_t row_end, const PrimaryKey& primary_key,
                     PrimaryKey::Scalars key)
      : memtable_(std::move(memtable)), row_end_(row_end), primary_key_(primary_key), key_(std::move(key)) {}
  const SchemaPtr& schema() const override { return memtable_->schema()->arrow(); }
  std::string Describe() const override {
    return "BTreeIndexExec: predicate=" + ShowKey(primary_key_, key_) + ", gen=gen" +
           std::to_string(memtable_->generation()) + ", visible_rows=" + std::to_string(row_end_);
  }
  arrow::Result<ReaderPtr> Execute() const override {
    std::string encoded;
    primary_key_.Encode(key_, &encoded);
    return OneBatch(schema(),
                    [memtable = memtable_, row_end = row_end_, key = primary_key_,
                     encoded = std::move(encoded)]() -> arrow::Result<BatchPtr> {
                      return FindNewestRow(*memtable, key, encoded, row_end);
                    });
  }

 private:
  const std::shared_ptr<const MemTable> memtable_;
  const int64_t row_end_;
  const PrimaryKey primary_key_;
  const PrimaryKey::Scalars key_;
};

class GenerationLookupExec final : public ExecutionPlan {
 public:
  GenerationLookupExec(std::shared_ptr<const GenerationReader> generation, SchemaPtr schema,
                       PrimaryKey::Scalars key, std::shared_ptr<arrow::Scalar> index_value)
      : generation_(std::move(generation)),
        schema_(std::move(schema)),
        key_(std::move(key)),
        index_value_(std::move(index_value)) {}
  const SchemaPtr& schema() const override { return schema_; }
  std::string Describe() const override {
    return "Take: uri=" + generation_->dataset()->uri() +
           "/data, by=_pk_index, key=" + index_value_->ToString();
  }
  arrow::Result<ReaderPtr> Execute() const override {
    return OneBatch(
        schema_,
        [generation = generation_, schema = schema_, value = index_value_]() -> arrow::Result<BatchPtr> {
          ARROW_ASSIGN_OR_RAISE(const auto row, generation->FindNewest(*value));
          if (!row) return nullptr;
          return generation->dataset()->TakeAddresses({&*row, 1}, schema->field_names(),
                                                      BlobHandling::kBinary);
        });
  }

 private:
  const std::shared_ptr<const GenerationReader> generation_;
  const SchemaPtr schema_;
  const PrimaryKey::Scalars key_;
  const std::shared_ptr<arrow::Scalar> index_value_;
};

class BloomFilterGuardExec final : public ExecutionPlan {
 public:
  BloomFilterGuardExec(PlanPtr child, std::shared_ptr<const SplitBlockBloomFilter> filter,
                       uint64_t generation, uint64_t hash)
      : child_(std::move(child)), filter_(std::move(filter)), generation_(generation), hash_(hash) {}
  const SchemaPtr& schema() const override { return child_->schema(); }
  std::vector<PlanPtr> children() const override { return {child_}; }
  std::string Describe() const override {
    return "BloomFilterGuardExec: gen=" + std::to_string(generation_) + ", pk_hash=" + std::to_string(hash_);
  }
  arrow::Result<ReaderPtr> Execute() const override {
    if (filter_->MightContain(hash_)) return child_->Execute();
    return OneBatch(schema(), [] { return arrow::Result<BatchPtr>(nullptr); });
  }

 private:
  const PlanPtr child_;
  const std::shared_ptr<const SplitBlockBloomFilter> filter_;
  const uint64_t generation_;
  const uint64_t hash_;
};

/// Rows of a stored batch by their number in it.
arrow::Result<BatchPtr> TakeRows(const BatchPtr& batch, const std::vector<int64_t>& rows) {
  if (static_cast<int64_t>(rows.size()) == batch->num_rows()) return batch;
  const arrow::Int64Array indices(static_cast<int64_t>(rows.size()), arrow::Buffer::Wrap(rows));
  ARROW_ASSIGN_OR_RAISE(auto taken, cp::Take(batch, indices, cp::TakeOptions::NoBoundsCheck()));
  return taken.record_batch();
}

arrow::Result<BatchPtr> FilterRows(const BatchPtr& batch, const cp::Expression& filter) {
  ARROW_ASSIGN_OR_RAISE(const auto mask, EvaluateFilter(filter, *batch));
  ARROW_ASSIGN_OR_RAISE(auto kept, cp::Filter(batch, mask));
  return kept.record_batch();
}

class MemTableDedupScanExec final : public ExecutionPlan {
 public:
  MemTableDedupScanExec(std::shared_ptr<const MemTable> memtable, int64_t row_end,
                        std::optional<cp::Expression> filter)
      : memtable_(std::move(memtable)), row_end_(row_end), filter_(std::move(filter)) {}
  const SchemaPtr& schema() const override { return memtable_->schema()->arrow(); }
  std::string Describe() const override {
    return "MemTableDedupScanExec: gen=gen" + std::to_string(memtable_->generation()) +
           ", visible_rows=" + std::to_string(row_end_) + (filter_ ? ", filter=" + filter_->ToString() : "");
  }
  arrow::Result<ReaderPtr> Execute() const override {
    auto rows = std::make_shared<std::vector<int64_t>>(memtable_->NewestRows(row_end_));
    return MakeReader(
        schema(),
        [memtable = memtable_, filter = filter_, rows, at = size_t{0}]() mutable -> arrow::Result<BatchPtr> {
          while (at < rows->size()) {
            const auto& slot = memtable->batches()[memtable->batches().FindBatch((*rows)[at])];
            std::vector<int64_t> in_batch;
            for (; at < rows->size() && (*rows)[at] < slot.row_offset + slot.batch->num_rows(); ++at) {
              in_batch.push_back((*rows)[at] - slot.row_offset);
            }
            ARROW_ASSIGN_OR_RAISE(auto batch, TakeRows(slot.batch, in_batch));
            if (filter) {
              ARROW_ASSIGN_OR_RAISE(batch, FilterRows(batch, *filter));
            }
            if (batch->num_rows() > 0) return batch;
          }
          return nullptr;
        });
  }

 private:
  const std::shared_ptr<const MemTable> memtable_;
  const int64_t row_end_;
  const std::optional<cp::Expression> filter_;
};

constexpr char kGenerationColumn[] = "_memtable_gen";

class JsonTextExec final : public ExecutionPlan {
 public:
  JsonTextExec(PlanPtr child, SchemaPtr schema) : child_(std::move(child)), schema_(std::move(schema)) {}
  const SchemaPtr& schema() const override { return schema_; }
  std::vector<PlanPtr> children() const override { return {child_}; }
  std::string Describe() const override { return "JsonTextExec"; }
  arrow::Result<ReaderPtr> Execute() const override {
    ARROW_ASSIGN_OR_RAISE(auto reader, child_->Execute());
    return MakeReader(schema_, [reader, schema = schema_]() -> arrow::Result<BatchPtr> {
      ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
      if (batch == nullptr) return nullptr;
      return WithJsonText(batch, schema, arrow::default_memory_pool());
    });
  }

 private:
  const PlanPtr child_;
  const SchemaPtr schema_;
};

class MemtableGenTagExec final : public ExecutionPlan {
 public:
  MemtableGenTagExec(PlanPtr child, const LsmSource& source)
      : child_(std::move(child)), generation_(source.generation), name_(source.GenerationName()) {
    auto fields = child_->schema()->fields();
    fields.push_back(arrow::field(kGenerationColumn, arrow::uint64(), /*nullable=*/false));
    schema_ = arrow::schema(std::move(fields), child_->schema()->metadata());
  }
  const SchemaPtr& schema() const override { return schema_; }
  std::vector<PlanPtr> children() const override { return {child_}; }
  std::string Describe() const override { return "MemtableGenTagExec: gen=" + name_; }
  arrow::Result<ReaderPtr> Execute() const override {
    ARROW_ASSIGN_OR_RAISE(auto reader, child_->Execute());
    return MakeReader(schema_,
                      [reader, schema = schema_, generation = generation_]() -> arrow::Result<BatchPtr> {
                        ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
                        if (batch == nullptr) return nullptr;
                        arrow::ArrayVector columns = batch->columns();
                        ARROW_ASSIGN_OR_RAISE(
                            columns.emplace_back(),
                            arrow::MakeArrayFromScalar(arrow::UInt64Scalar(generation), batch->num_rows()));
                        return arrow::RecordBatch::Make(schema, batch->num_rows(), std::move(columns));
                      });
  }

 private:
  const PlanPtr child_;
  const uint64_t generation_;
  const std::string name_;
  SchemaPtr schema_;
};

class MemTableKeys final : public GenerationKeys {
 public:
  MemTableKeys(std::shared_ptr<const MemTable> memtable, int64_t row_end)
      : memtable_(std::move(memtable)),
        row_end_(row_end),
        name_("gen" + std::to_string(memtable_->generation())) {}
  arrow::Result<bool> Contains(std::string_view key) override {
    return memtable_->FindNewest(key, row_end_).has_value();
  }
  const std::string& name() const override { return name_; }

 private:
  const std::shared_ptr<const MemTable> memtable_;
  const int64_t row_end_;
  const std::string name_;
};

struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

/// Reads the key columns once: a scan asks for most of them anyway.
class FlushedKeys final : public GenerationKeys {
 public:
  FlushedKeys(std::shared_ptr<const GenerationReader> generation, const PrimaryKey& key, uint64_t number)
      : generation_(std::move(generation)), key_(key), name_("gen" + std::to_string(number)) {}
  arrow::Result<bool> Contains(std::string_view key) override {
    std::call_once(once_, [this] { status_ = Load(); });
    ARROW_RETURN_NOT_OK(status_);
    return keys_.contains(key);
  }
  const std::string& name() const override { return name_; }

 private:
  arrow::Status Load() {
    ScanOptions options;
    options.columns = key_.names();
    options.json_as_text = false;
    ARROW_ASSIGN_OR_RAISE(const auto scanner, generation_->dataset()->NewScan(options));
    ARROW_ASSIGN_OR_RAISE(const auto reader, scanner->ToReader());
    for (;;) {
      ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
      if (batch == nullptr) return arrow::Status::OK();
      ARROW_ASSIGN_OR_RAISE(const auto columns, key_.ColumnsOf(*batch));
      for (int64_t row = 0; row < batch->num_rows(); ++row) {
        std::string key;
        key_.Encode(columns, row, &key);
        keys_.insert(std::move(key));
      }
    }
  }

  const std::shared_ptr<const GenerationReader> generation_;
  const PrimaryKey key_;
  const std::string name_;
  std::once_flag once_;
  arrow::Status status_;
  std::unordered_set<std::string, TextHash, std::equal_to<>> keys_;
};

class PkBlockFilterExec final : public ExecutionPlan {
 public:
  PkBlockFilterExec(PlanPtr child, const PrimaryKey& key, std::vector<std::shared_ptr<GenerationKeys>> newer)
      : child_(std::move(child)), key_(key), newer_(std::move(newer)) {}
  const SchemaPtr& schema() const override { return child_->schema(); }
  std::vector<PlanPtr> children() const override { return {child_}; }
  std::string Describe() const override {
    std::string text = "PkBlockFilterExec: pk_cols=[";
    for (size_t i = 0; i < key_.fields().size(); ++i) text += (i == 0 ? "" : ", ") + key_.fields()[i]->name();
    text += "], gens=[";
    for (size_t i = 0; i < newer_.size(); ++i) text += (i == 0 ? "" : ", ") + newer_[i]->name();
    return text + "]";
  }
  arrow::Result<ReaderPtr> Execute() const override {
    ARROW_ASSIGN_OR_RAISE(auto reader, child_->Execute());
    return MakeReader(schema(), [reader, key = key_, newer = newer_]() -> arrow::Result<BatchPtr> {
      for (;;) {
        ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
        if (batch == nullptr) return nullptr;
        ARROW_ASSIGN_OR_RAISE(auto kept, Keep(batch, key, newer));
        if (kept->num_rows() > 0) return kept;
      }
    });
  }

 private:
  static arrow::Result<BatchPtr> Keep(const BatchPtr& batch, const PrimaryKey& key,
                                      const std::vector<std::shared_ptr<GenerationKeys>>& newer) {
    ARROW_ASSIGN_OR_RAISE(const auto columns, key.ColumnsOf(*batch));
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> mask, arrow::AllocateEmptyBitmap(batch->num_rows()));
    int64_t kept = 0;
    std::string encoded;
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      encoded.clear();
      key.Encode(columns, row, &encoded);
      bool blocked = false;
      for (size_t i = 0; i < newer.size() && !blocked; ++i) {
        ARROW_ASSIGN_OR_RAISE(blocked, newer[i]->Contains(encoded));
      }
      if (blocked) continue;
      arrow::bit_util::SetBit(mask->mutable_data(), row);
      ++kept;
    }
    if (kept == batch->num_rows()) return batch;
    ARROW_ASSIGN_OR_RAISE(auto filtered, cp::Filter(batch, std::make_shared<arrow::BooleanArray>(
                                                               batch->num_rows(), std::move(mask))));
    return filtered.record_batch();
  }

  const PlanPtr child_;
  const PrimaryKey key_;
  const std::vector<std::shared_ptr<GenerationKeys>> newer_;
};

}  // namespace

PlanPtr MakeDatasetScanPlan(std::shared_ptr<const Dataset> dataset, std::shared_ptr<Scanner> scanner) {
  return std::make_shared<DatasetScanExec>(std::move(dataset), std::move(scanner));
}

BatchPtr FindNewestRow(const MemTable& memtable, const PrimaryKey& primary_key, std::string_view encoded,
                       int64_t row_end) {
  if (!memtable.primary_key().empty()) {
    const auto row = memtable.FindNewest(encoded, row_end);
    return row ? memtable.Row(*row) : nullptr;
  }
  if (row_end == 0) return nullptr;
  std::string key;
  for (int64_t i = memtable.batches().FindBatch(row_end - 1); i >= 0; --i) {
    const BatchStore::Slot& slot = memtable.batches()[i];
    arrow::ArrayVector columns;
    for (const std::string& name : primary_key.names()) columns.push_back(slot.batch->GetColumnByName(name));
    for (int64_t row = std::min(slot.batch->num_rows(), row_end - slot.row_offset) - 1; row >= 0; --row) {
      const auto is_null = [&](const auto& column) { return column->IsNull(row); };
      if (std::any_of(columns.begin(), columns.end(), is_null)) continue;
      key.clear();
      primary_key.Encode(columns, row, &key);
      if (key == encoded) return slot.batch->Slice(row, 1);
    }
  }
  return nullptr;
}

PlanPtr MakeMemTableLookupPlan(std::shared_ptr<const MemTable> memtable, int64_t row_end,
                               const PrimaryKey& primary_key, PrimaryKey::Scalars key) {
  return std::make_shared<MemTableLookupExec>(std::move(memtable), row_end, primary_key, std::move(key));
}

PlanPtr MakeGenerationLookupPlan(std::shared_ptr<const GenerationReader> generation,
                                 std::shared_ptr<arrow::Schema> schema, PrimaryKey::Scalars key,
                                 std::shared_ptr<arrow::Scalar> index_value) {
  return std::make_shared<GenerationLookupExec>(std::move(generation), std::move(schema), std::move(key),
                                                std::move(index_value));
}

PlanPtr MakeBloomFilterGuardPlan(PlanPtr child, std::shared_ptr<const SplitBlockBloomFilter> filter,
                                 uint64_t generation, uint64_t hash) {
  return std::make_shared<BloomFilterGuardExec>(std::move(child), std::move(filter), generation, hash);
}

PlanPtr MakeMemTableScanPlan(std::shared_ptr<const MemTable> memtable, int64_t row_end,
                             std::optional<cp::Expression> filter) {
  return std::make_shared<MemTableDedupScanExec>(std::move(memtable), row_end, std::move(filter));
}

PlanPtr MakeJsonTextPlan(PlanPtr child) {
  auto shown = WithJsonText(child->schema());
  if (shown == child->schema()) return child;
  return std::make_shared<JsonTextExec>(std::move(child), std::move(shown));
}

PlanPtr MakeGenerationTagPlan(PlanPtr child, const LsmSource& source) {
  return std::make_shared<MemtableGenTagExec>(std::move(child), source);
}

std::shared_ptr<GenerationKeys> MakeMemTableKeys(std::shared_ptr<const MemTable> memtable, int64_t row_end) {
  return std::make_shared<MemTableKeys>(std::move(memtable), row_end);
}

std::shared_ptr<GenerationKeys> MakeFlushedKeys(std::shared_ptr<const GenerationReader> generation,
                                                const PrimaryKey& key, uint64_t number) {
  return std::make_shared<FlushedKeys>(std::move(generation), key, number);
}

PlanPtr MakeBlockFilterPlan(PlanPtr child, const PrimaryKey& key,
                            std::vector<std::shared_ptr<GenerationKeys>> newer) {
  if (newer.empty()) return child;
  return std::make_shared<PkBlockFilterExec>(std::move(child), key, std::move(newer));
}

}  // namespace pilum
