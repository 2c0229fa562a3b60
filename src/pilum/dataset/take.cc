// SPDX-License-Identifier: Apache-2.0
//
// Dataset's rows by position and by address.
#include <arrow/compute/api.h>

#include <algorithm>
#include <numeric>

#include "pilum/dataset/dataset.h"
#include "pilum/dataset/fragment_reader.h"
#include "pilum/dataset/live_rows.h"
#include "pilum/dataset/projection.h"

namespace pilum {

namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

/// Rows of `fragment`, offsets ascending without repeats, deleted ones left out of both.
arrow::Result<BatchPtr> TakeLive(const FragmentReader& fragment, const Projection& projection,
                                 std::vector<int64_t>* offsets) {
  ARROW_ASSIGN_OR_RAISE(const auto deleted, fragment.Deletions());
  if (deleted != nullptr) {
    std::erase_if(*offsets, [&](int64_t offset) { return deleted->contains(static_cast<uint32_t>(offset)); });
  }
  return fragment.Take(projection, *offsets, arrow::default_memory_pool());
}

/// Rows of `sorted`, whose addresses are `found`, in the order of `wanted`; those that were not found are
/// left out.
arrow::Result<BatchPtr> Arrange(const BatchPtr& sorted, const std::vector<uint64_t>& found,
                                std::span<const uint64_t> wanted) {
  if (std::equal(found.begin(), found.end(), wanted.begin(), wanted.end())) return sorted;
  arrow::Int64Builder positions;
  ARROW_RETURN_NOT_OK(positions.Reserve(static_cast<int64_t>(wanted.size())));
  for (const uint64_t address : wanted) {
    const auto it = std::lower_bound(found.begin(), found.end(), address);
    if (it != found.end() && *it == address) positions.UnsafeAppend(it - found.begin());
  }
  ARROW_ASSIGN_OR_RAISE(const auto indices, positions.Finish());
  if (sorted->num_columns() == 0)
    return arrow::RecordBatch::Make(sorted->schema(), indices->length(), arrow::ArrayVector{});
  ARROW_ASSIGN_OR_RAISE(auto arranged, arrow::compute::Take(sorted, indices));
  return arranged.record_batch();
}

arrow::Result<BatchPtr> Concatenate(const Projection& projection, arrow::RecordBatchVector batches) {
  if (batches.size() == 1) return batches[0];
  if (batches.empty()) return arrow::RecordBatch::MakeEmpty(projection.schema());
  if (projection.columns().empty()) {
    int64_t rows = 0;
    for (const auto& batch : batches) rows += batch->num_rows();
    return arrow::RecordBatch::Make(projection.schema(), rows, arrow::ArrayVector{});
  }
  return arrow::ConcatenateRecordBatches(batches);
}

}  // namespace

arrow::Result<BatchPtr> Dataset::TakeAddresses(std::span<const uint64_t> addresses,
                                               const std::vector<std::string>& columns) const {
  ARROW_ASSIGN_OR_RAISE(const auto projection, NewProjection(columns));
  return TakeAddresses(addresses, *projection);
}

arrow::Result<BatchPtr> Dataset::TakeAddresses(std::span<const uint64_t> addresses,
                                               const Projection& projection) const {
  std::vector<uint64_t> sorted(addresses.begin(), addresses.end());
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  std::vector<uint64_t> found;
  arrow::RecordBatchVector batches;
  std::vector<int64_t> offsets;
  for (size_t i = 0; i < sorted.size();) {
    const uint64_t id = sorted[i] >> 32;
    const auto* fragment = manifest_->FindFragment(id);
    offsets.clear();
    for (; i < sorted.size() && sorted[i] >> 32 == id; ++i)
      offsets.push_back(static_cast<int64_t>(sorted[i] & 0xFFFFFFFF));
    if (fragment == nullptr || static_cast<uint64_t>(offsets.back()) >= fragment->physical_rows()) {
      return arrow::Status::IndexError("row address ", sorted[i - 1],
                                       " belongs to non-existent fragment or row: fragment ", id, " of ",
                                       uri());
    }
    const FragmentReader reader(*session_, location_, *fragment);
    ARROW_ASSIGN_OR_RAISE(auto batch, TakeLive(reader, projection, &offsets));
    for (const int64_t offset : offsets) found.push_back(reader.AddressOf(offset));
    batches.push_back(std::move(batch));
  }
  ARROW_ASSIGN_OR_RAISE(const auto all, Concatenate(projection, std::move(batches)));
  return Arrange(all, found, addresses);
}

arrow::Result<std::shared_ptr<arrow::Table>> Dataset::Take(std::span<const int64_t> offsets,
                                                           const std::vector<std::string>& columns) const {
  ARROW_ASSIGN_OR_RAISE(const auto rows, GetLiveRows());
  std::vector<uint64_t> addresses;
  addresses.reserve(offsets.size());
  for (const int64_t row : offsets) {
    if (row < 0 || row >= rows->num_rows()) {
      return arrow::Status::IndexError("row ", row, " belongs to non-existent fragment: ", uri(), " has ",
                                       rows->num_rows(), " rows");
    }
    const auto [index, rank] = rows->Locate(row);
    const auto& fragment = manifest_->fragments()[index];
    ARROW_ASSIGN_OR_RAISE(const auto deleted, session_->OpenDeletions(location_, fragment));
    addresses.push_back((fragment.id() << 32) | static_cast<uint64_t>(OffsetOfLiveRow(deleted.get(), rank)));
  }
  ARROW_ASSIGN_OR_RAISE(auto batch, TakeAddresses(addresses, columns));
  return arrow::Table::FromRecordBatches(batch->schema(), {batch});
}

}  // namespace pilum
