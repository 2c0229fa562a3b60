// SPDX-License-Identifier: Apache-2.0
#include "pilum/dataset/scan_reader.h"

#include <arrow/array.h>
#include <arrow/compute/api.h>
#include <arrow/util/bitmap_builders.h>
#include <arrow/util/byte_size.h>

#include <algorithm>

#include "pilum/dataset/fragment_reader.h"
#include "pilum/encoding/json_column.h"
#include "pilum/expr/filter.h"
#include "pilum/file/scan_pieces.h"

namespace pilum {

namespace {

namespace cp = arrow::compute;
using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

/// Below this share of rows that pass, the columns the filter does not read are fetched row by row.
constexpr int64_t kTakeShare = 16;

/// The rows of a task, before and after some of them are dropped. Offsets ascend.
class RowSelection {
 public:
  static RowSelection Of(const ScanTask& task) {
    RowSelection rows;
    rows.begin_ = task.begin;
    rows.end_ = task.end;
    if (task.offsets) rows.offsets_ = *task.offsets;
    return rows;
  }

  int64_t size() const { return offsets_ ? static_cast<int64_t>(offsets_->size()) : end_ - begin_; }
  int64_t operator[](int64_t i) const { return offsets_ ? (*offsets_)[static_cast<size_t>(i)] : begin_ + i; }

  /// Keeps the rows for which `keep(i, offset)`. A range of which all rows stay remains a range.
  template <typename Keep>
  void Filter(const Keep& keep) {
    std::vector<int64_t> kept;
    kept.reserve(static_cast<size_t>(size()));
    for (int64_t i = 0; i < size(); ++i) {
      const int64_t offset = (*this)[i];
      if (keep(i, offset)) kept.push_back(offset);
    }
    if (static_cast<int64_t>(kept.size()) < size()) offsets_ = std::move(kept);
  }

  /// Reads the rows, a dense selection as a range from which the others are dropped.
  arrow::Result<BatchPtr> Read(const FragmentReader& fragment, const Projection& projection,
                               arrow::MemoryPool* pool) const {
    if (!offsets_) return fragment.ReadRange(projection, begin_, end_, pool);
    if (offsets_->empty()) return fragment.Take(projection, *offsets_, pool);
    const int64_t first = offsets_->front(), span = offsets_->back() + 1 - first;
    if (size() * kTakeShare < span) return fragment.Take(projection, *offsets_, pool);
    ARROW_ASSIGN_OR_RAISE(const auto dense, fragment.ReadRange(projection, first, first + span, pool));
    if (span == size()) return dense;
    ARROW_ASSIGN_OR_RAISE(auto mask, arrow::AllocateEmptyBitmap(span, pool));
    for (const int64_t offset : *offsets_) arrow::bit_util::SetBit(mask->mutable_data(), offset - first);
    return FilterBatch(dense, std::make_shared<arrow::BooleanArray>(span, std::move(mask)), size());
  }

  static arrow::Result<BatchPtr> FilterBatch(const BatchPtr& batch, const std::shared_ptr<arrow::Array>& mask,
                                             int64_t num_kept) {
    if (batch->num_columns() == 0)
      return arrow::RecordBatch::Make(batch->schema(), num_kept, arrow::ArrayVector{});
    ARROW_ASSIGN_OR_RAISE(auto kept, cp::Filter(batch, mask));
    return kept.record_batch();
  }

 private:
  int64_t begin_ = 0, end_ = 0;
  std::optional<std::vector<int64_t>> offsets_;
};

/// The result's columns, each from the batch that has it.
BatchPtr Merge(const Projection& projection, const BatchPtr& filtered, const BatchPtr& late) {
  arrow::ArrayVector arrays;
  for (const auto& field : projection.schema()->fields()) {
    const int at = late->schema()->GetFieldIndex(field->name());
    arrays.push_back(at >= 0 ? late->column(at) : filtered->GetColumnByName(field->name()));
  }
  return arrow::RecordBatch::Make(projection.schema(), late->num_rows(), std::move(arrays));
}

/// RunScanTask for `task`, or for halves of its rows where they are too many for one batch.
arrow::Result<ScanPieces> RunInPieces(const ScanPlan& plan, const ScanTask& task) {
  return ReadInPieces(task.begin, task.end, [&](int64_t begin, int64_t end) {
    ScanTask part{task.fragment, begin, end, std::nullopt};
    if (task.offsets) {
      const auto first = std::ranges::lower_bound(*task.offsets, begin);
      part.offsets.emplace(first, std::lower_bound(first, task.offsets->end(), end));
    }
    return RunScanTask(plan, part, arrow::default_memory_pool());
  });
}

class ScanReader final : public arrow::RecordBatchReader {
 public:
  ScanReader(const std::shared_ptr<const ScanPlan>& plan,
             const std::shared_ptr<const std::vector<ScanTask>>& tasks)
      : plan_(plan),
        tasks_(tasks->size(), [plan, tasks](size_t i) { return RunInPieces(*plan, (*tasks)[i]); }),
        to_skip_(plan_->skip),
        left_(plan_->limit.value_or(std::numeric_limits<int64_t>::max())) {}

  std::shared_ptr<arrow::Schema> schema() const override { return plan_->shown_schema; }

  arrow::Status ReadNext(BatchPtr* batch) override {
    *batch = nullptr;
    while (left_ > 0) {
      if (rows_ == nullptr || at_ == rows_->num_rows()) {
        ARROW_ASSIGN_OR_RAISE(rows_, tasks_.Next());
        if (rows_ == nullptr) break;
        const int64_t skipped = std::min(to_skip_, rows_->num_rows());
        to_skip_ -= skipped;
        at_ = skipped;
        ARROW_ASSIGN_OR_RAISE(batch_rows_, BatchRows(*rows_));
        continue;
      }
      const int64_t n = std::min({batch_rows_, rows_->num_rows() - at_, left_});
      *batch = rows_->Slice(at_, n);
      at_ += n;
      left_ -= n;
      return arrow::Status::OK();
    }
    tasks_.Stop();
    return arrow::Status::OK();
  }

 private:
  /// The rows of `rows` that make a batch.
  arrow::Result<int64_t> BatchRows(const arrow::RecordBatch& rows) const {
    if (!plan_->batch_size_bytes || rows.num_rows() == 0) return plan_->batch_size;
    ARROW_ASSIGN_OR_RAISE(const int64_t num_bytes, arrow::util::ReferencedBufferSize(rows));
    const double row_bytes = static_cast<double>(num_bytes) / static_cast<double>(rows.num_rows());
    const double n = static_cast<double>(*plan_->batch_size_bytes) / std::max(row_bytes, 1.0);
    return std::clamp(n, 1.0, static_cast<double>(rows.num_rows()));
  }

  const std::shared_ptr<const ScanPlan> plan_;
  ScanParts tasks_;
  BatchPtr rows_;           // of the task being cut
  int64_t batch_rows_ = 0;  // of them, for the next batch
  int64_t at_ = 0;
  int64_t to_skip_;
  int64_t left_;
};

/// The rows as they are stored.
arrow::Result<BatchPtr> ReadTask(const ScanPlan& plan, const ScanTask& task, arrow::MemoryPool* pool) {
  const FragmentReader fragment(*plan.session, plan.location, *plan.manifest, *task.fragment);
  RowSelection rows = RowSelection::Of(task);
  ARROW_ASSIGN_OR_RAISE(const auto deleted, fragment.Deletions());
  if (deleted != nullptr) {
    rows.Filter([&](int64_t, int64_t offset) { return !deleted->contains(static_cast<uint32_t>(offset)); });
  }
  if (!plan.filter) return rows.Read(fragment, *plan.projection, pool);
  ARROW_ASSIGN_OR_RAISE(auto tested, rows.Read(fragment, *plan.filter_projection, pool));
  ARROW_ASSIGN_OR_RAISE(const auto mask, EvaluateFilter(*plan.filter, *tested));
  const int64_t before = rows.size();
  rows.Filter([&](int64_t i, int64_t) { return mask->IsValid(i) && mask->Value(i); });
  if (rows.size() < before) {
    ARROW_ASSIGN_OR_RAISE(tested, RowSelection::FilterBatch(tested, mask, rows.size()));
  }
  ARROW_ASSIGN_OR_RAISE(const auto late, rows.Read(fragment, *plan.late_projection, pool));
  return Merge(*plan.projection, tested, late);
}

}  // namespace

arrow::Result<BatchPtr> RunScanTask(const ScanPlan& plan, const ScanTask& task, arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(const auto rows, ReadTask(plan, task, pool));
  if (plan.shown_schema == plan.projection->schema()) return rows;
  return WithJsonText(rows, plan.shown_schema, pool);
}

std::shared_ptr<arrow::RecordBatchReader> MakeScanReader(std::shared_ptr<const ScanPlan> plan,
                                                         std::vector<ScanTask> tasks) {
  return std::make_shared<ScanReader>(std::move(plan),
                                      std::make_shared<const std::vector<ScanTask>>(std::move(tasks)));
}

}  // namespace pilum
