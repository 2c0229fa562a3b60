// SPDX-License-Identifier: Apache-2.0
#include "pilum/dataset/scanner.h"

#include <algorithm>

#include "pilum/dataset/dataset.h"
#include "pilum/dataset/index_search.h"
#include "pilum/dataset/live_rows.h"
#include "pilum/dataset/scan_reader.h"
#include "pilum/expr/filter.h"
#include "pilum/file/scan_pieces.h"

namespace pilum {

namespace {

constexpr int64_t kMinTaskRows = 1024;

/// Rows of a fragment that are read at a time: a multiple of `batch_size`.
int64_t TaskRows(const lance::table::DataFragment& fragment, const ScanPlan& plan) {
  uint64_t bytes = 0;
  for (const auto& file : fragment.files()) bytes += file.file_size_bytes();
  const uint64_t row_bytes = std::min<uint64_t>(bytes / std::max<uint64_t>(fragment.physical_rows(), 1),
                                                static_cast<uint64_t>(kScanPartBytes));
  const int64_t rows =
      std::max(ScanPartRows(*plan.projection->schema(), static_cast<int64_t>(row_bytes)), kMinTaskRows);
  return std::max(rows / plan.batch_size, int64_t{1}) * plan.batch_size;
}

class ScannerImpl final : public Scanner {
 public:
  ScannerImpl(std::shared_ptr<const ScanPlan> plan, std::vector<const lance::table::DataFragment*> fragments,
              std::optional<IndexSearch> search, std::string filter_text, std::optional<int64_t> offset,
              std::optional<int64_t> limit)
      : plan_(std::move(plan)),
        fragments_(std::move(fragments)),
        search_(std::move(search)),
        filter_text_(std::move(filter_text)),
        offset_(offset.value_or(0)),
        limit_(limit) {}

  const std::shared_ptr<arrow::Schema>& schema() const override { return plan_->shown_schema; }

  arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> ToReader() const override {
    auto run = std::make_shared<ScanPlan>(*plan_);
    run->limit = limit_;
    run->skip = offset_;
    ARROW_ASSIGN_OR_RAISE(auto tasks, search_ ? IndexTasks() : RangeTasks(run.get()));
    return MakeScanReader(std::move(run), std::move(tasks));
  }

  arrow::Result<std::shared_ptr<arrow::Table>> ToTable() const override {
    ARROW_ASSIGN_OR_RAISE(const auto reader, ToReader());
    return reader->ToTable();
  }

  arrow::Result<int64_t> CountRows() const override {
    ARROW_ASSIGN_OR_RAISE(const auto reader, ToReader());
    int64_t count = 0;
    for (;;) {
      ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
      if (batch == nullptr) return count;
      count += batch->num_rows();
    }
  }

  std::string Explain() const override {
    std::string text = "LanceRead: uri=" + plan_->location.uri + "/data, projection=[";
    for (int i = 0; i < schema()->num_fields(); ++i)
      text += (i == 0 ? "" : ", ") + schema()->field(i)->name();
    text += "], num_fragments=" + std::to_string(fragments_.size());
    if (plan_->filter) text += ", filter=" + filter_text_;
    if (offset_ > 0) text += ", skip=" + std::to_string(offset_);
    if (limit_) text += ", fetch=" + std::to_string(*limit_);
    if (search_) {
      text += "\n  ScalarIndexQuery: query=[" + search_->predicate.column + " IN " +
              search_->predicate.values->ToString() + "]@" + search_->index_name() + "(BTree)";
    }
    return text + "\n";
  }

 private:
  /// Ranges over all fragments. Without a filter offset and limit select live rows by position: what lies
  /// outside is not read.
  arrow::Result<std::vector<ScanTask>> RangeTasks(ScanPlan* run) const {
    std::vector<ScanTask> tasks;
    const bool positional = !plan_->filter && (offset_ > 0 || limit_);
    int64_t skip = offset_;
    int64_t wanted = limit_.value_or(std::numeric_limits<int64_t>::max());
    for (const auto* fragment : fragments_) {
      int64_t begin = 0, end = static_cast<int64_t>(fragment->physical_rows());
      if (positional) {
        ARROW_ASSIGN_OR_RAISE(const auto deleted, plan_->session->OpenDeletions(plan_->location, *fragment));
        const int64_t live = end - (deleted == nullptr ? 0 : static_cast<int64_t>(deleted->cardinality()));
        if (skip >= live) {
          skip -= live;
          continue;
        }
        if (wanted == 0) break;
        const int64_t taken = std::min(wanted, live - skip);
        begin = OffsetOfLiveRow(deleted.get(), skip);
        end = OffsetOfLiveRow(deleted.get(), skip + taken - 1) + 1;
        skip = 0;
        wanted -= taken;
      }
      AddRanges(fragment, begin, end, &tasks);
    }
    if (positional) {
      run->skip = 0;
      run->limit.reset();
    }
    return tasks;
  }

  arrow::Result<std::vector<ScanTask>> IndexTasks() const {
    ARROW_ASSIGN_OR_RAISE(auto found,
                          RunIndexSearch(*plan_->session, plan_->location, *plan_->manifest, *search_));
    std::vector<ScanTask> tasks;
    for (const auto* fragment : fragments_) {
      const int64_t rows = static_cast<int64_t>(fragment->physical_rows());
      if (!found.covered.contains(static_cast<uint32_t>(fragment->id()))) {
        AddRanges(fragment, 0, rows, &tasks);
        continue;
      }
      const auto offsets = found.offsets.find(fragment->id());
      if (offsets == found.offsets.end()) continue;
      tasks.push_back({fragment, 0, rows, std::move(offsets->second)});
    }
    return tasks;
  }

  void AddRanges(const lance::table::DataFragment* fragment, int64_t begin, int64_t end,
                 std::vector<ScanTask>* tasks) const {
    const int64_t step = TaskRows(*fragment, *plan_);
    for (; begin < end; begin += step)
      tasks->push_back({fragment, begin, std::min(begin + step, end), std::nullopt});
  }

  const std::shared_ptr<const ScanPlan> plan_;
  const std::vector<const lance::table::DataFragment*> fragments_;
  const std::optional<IndexSearch> search_;
  const std::string filter_text_;
  const int64_t offset_;
  const std::optional<int64_t> limit_;
};

std::vector<std::string> OutputNames(const Schema& schema, const ScanOptions& options) {
  auto names = options.columns ? *options.columns : schema.arrow()->field_names();
  const auto append = [&](bool wanted, const char* name) {
    if (wanted && std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
  };
  append(options.with_row_id, kRowIdColumn);
  append(options.with_row_address, kRowAddressColumn);
  return names;
}

/// The condition of `options` bound to the table's columns and the system columns of a filter; none if there
/// is none.
arrow::Result<std::optional<arrow::compute::Expression>> BindFilter(const Schema& schema,
                                                                    const ScanOptions& options) {
  arrow::FieldVector fields;
  for (const auto& field : schema.arrow()->fields())
    fields.push_back(Projection::Shown(field, options.blob_handling));
  fields.push_back(arrow::field(kRowIdColumn, arrow::uint64()));
  fields.push_back(arrow::field(kRowAddressColumn, arrow::uint64()));
  const arrow::Schema all(std::move(fields));
  std::optional<arrow::compute::Expression> filter;
  if (!options.filter.empty()) {
    ARROW_ASSIGN_OR_RAISE(filter, ParseFilter(options.filter, all));
  }
  if (options.filter_expression) {
    ARROW_ASSIGN_OR_RAISE(auto bound, options.filter_expression->Bind(all));
    if (bound.type()->id() != arrow::Type::BOOL)
      return arrow::Status::Invalid("the filter does not return a boolean: ", bound.ToString());
    if (!filter) return bound;
    return arrow::compute::and_(*filter, bound).Bind(all);
  }
  return filter;
}

arrow::Status PlanFilter(const std::shared_ptr<const Schema>& schema, FormatVersion version,
                         BlobHandling blobs, const arrow::compute::Expression& filter, ScanPlan* plan) {
  ARROW_ASSIGN_OR_RAISE(plan->filter_projection, Projection::Make(schema, version, ColumnsOf(filter), blobs));
  ARROW_ASSIGN_OR_RAISE(plan->filter, filter.Bind(*plan->filter_projection->schema()));
  std::vector<std::string> late;
  for (const auto& name : plan->projection->schema()->field_names()) {
    if (!plan->filter_projection->Has(name)) late.push_back(name);
  }
  return Projection::Make(schema, version, late, blobs, NestedNames::kFlat).Value(&plan->late_projection);
}

arrow::Status CheckOptions(const ScanOptions& options) {
  if (options.batch_size <= 0)
    return arrow::Status::Invalid("batch_size must be positive, got ", options.batch_size);
  if (options.batch_size_bytes.value_or(0) < 0)
    return arrow::Status::Invalid("batch_size_bytes must not be negative, got ", *options.batch_size_bytes);
  if (options.limit.value_or(0) < 0) return arrow::Status::Invalid("Limit must be non-negative");
  if (options.offset.value_or(0) < 0) return arrow::Status::Invalid("Offset must be non-negative");
  return arrow::Status::OK();
}

/// The fragments to scan, in manifest order, or in the order asked for.
arrow::Result<std::vector<const lance::table::DataFragment*>> SelectFragments(
    const Manifest& manifest, const std::optional<std::vector<uint64_t>>& ids) {
  std::vector<const lance::table::DataFragment*> fragments;
  if (!ids) {
    for (const auto& fragment : manifest.fragments()) fragments.push_back(&fragment);
    return fragments;
  }
  for (const uint64_t id : *ids) {
    const auto* fragment = manifest.FindFragment(id);
    if (fragment == nullptr)
      return arrow::Status::Invalid("no fragment ", id, " in version ", manifest.version());
    fragments.push_back(fragment);
  }
  return fragments;
}

}  // namespace

arrow::Result<std::shared_ptr<Scanner>> Dataset::NewScan(const ScanOptions& options) const {
  ARROW_RETURN_NOT_OK(CheckOptions(options));
  auto plan = std::make_shared<ScanPlan>();
  plan->location = location_;
  plan->manifest = manifest_;
  plan->session = session_;
  plan->batch_size = options.batch_size;
  plan->batch_size_bytes = options.batch_size_bytes;
  ARROW_ASSIGN_OR_RAISE(plan->projection, Projection::Make(lance_schema(), manifest_->data_version,
                                                           OutputNames(*lance_schema(), options),
                                                           options.blob_handling, NestedNames::kFlat));
  plan->shown_schema = options.json_as_text ? plan->projection->shown_schema() : plan->projection->schema();
  const bool stable_ids = (manifest_->proto.reader_feature_flags() & kFlagStableRowIds) != 0;
  std::optional<IndexSearch> search;
  ARROW_ASSIGN_OR_RAISE(const auto filter, BindFilter(*lance_schema(), options));
  if (filter) {
    ARROW_RETURN_NOT_OK(
        PlanFilter(lance_schema(), manifest_->data_version, options.blob_handling, *filter, plan.get()));
    if (options.use_scalar_index) search = PlanIndexSearch(*manifest_, *plan->filter);
  }
  if (stable_ids &&
      (plan->projection->Has(kRowIdColumn) || (plan->filter && plan->filter_projection->Has(kRowIdColumn)))) {
    return arrow::Status::NotImplemented("_rowid of tables with stable row ids");
  }
  ARROW_ASSIGN_OR_RAISE(auto fragments, SelectFragments(*manifest_, options.fragment_ids));
  return std::make_shared<ScannerImpl>(std::move(plan), std::move(fragments), std::move(search),
                                       filter ? filter->ToString() : std::string(), options.offset,
                                       options.limit);
}

}  // namespace pilum
