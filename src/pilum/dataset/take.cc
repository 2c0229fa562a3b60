// SPDX-License-Identifier: Apache-2.0
//
// Dataset's rows by position and by address.
#include <arrow/util/future.h>
#include <arrow/util/thread_pool.h>

#include <algorithm>
#include <numeric>

#include "pilum/dataset/dataset.h"
#include "pilum/dataset/fragment_reader.h"
#include "pilum/dataset/live_rows.h"
#include "pilum/dataset/projection.h"
#include "pilum/encoding/json_column.h"
#include "pilum/file/arrange_rows.h"

namespace pilum {

namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

/// Takes of this many rows and more are shared out over Arrow's pool: most of their time goes into small
/// reads.
constexpr size_t kMinParallelRows = 256;

/// Rows of one fragment, offsets ascending without repeats; those that are deleted are dropped when it is
/// read.
struct Piece {
  const lance::table::DataFragment* fragment = nullptr;
  std::vector<int64_t> offsets;
  BatchPtr rows;
};

arrow::Status ReadPiece(const Dataset& dataset, const Projection& projection, Piece* piece) {
  const FragmentReader fragment(*dataset.session(), dataset.location(), dataset.manifest(), *piece->fragment);
  ARROW_ASSIGN_OR_RAISE(const auto deleted, fragment.Deletions());
  if (deleted != nullptr) {
    std::erase_if(piece->offsets,
                  [&](int64_t offset) { return deleted->contains(static_cast<uint32_t>(offset)); });
  }
  return fragment.Take(projection, piece->offsets, arrow::default_memory_pool()).Value(&piece->rows);
}

/// All pieces, on the caller's thread if they are few or one of the pool's own threads asks.
arrow::Status ReadPieces(const Dataset& dataset, const Projection& projection, size_t num_rows,
                         std::vector<Piece>* pieces) {
  auto* pool = arrow::internal::GetCpuThreadPool();
  if (num_rows < kMinParallelRows || pieces->size() == 1 || pool->OwnsThisThread()) {
    for (Piece& piece : *pieces) ARROW_RETURN_NOT_OK(ReadPiece(dataset, projection, &piece));
    return arrow::Status::OK();
  }
  std::vector<arrow::Future<>> running;
  arrow::Status status;
  for (Piece& piece : *pieces) {
    auto future = pool->Submit([&] { return ReadPiece(dataset, projection, &piece); });
    if (future.ok()) running.push_back(*std::move(future));
    if (!future.ok()) status &= future.status();
  }
  for (auto& future : running) status &= future.status();  // waits for each: they refer to this frame
  return status;
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
                                               const std::vector<std::string>& columns,
                                               BlobHandling blobs) const {
  ARROW_ASSIGN_OR_RAISE(const auto projection, NewProjection(columns, blobs));
  return TakeAddresses(addresses, *projection);
}

arrow::Result<BatchPtr> Dataset::TakeAddresses(std::span<const uint64_t> addresses,
                                               const Projection& projection) const {
  std::vector<uint64_t> sorted(addresses.begin(), addresses.end());
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  const size_t capacity = static_cast<size_t>(arrow::GetCpuThreadPoolCapacity());
  const size_t piece_rows =
      sorted.size() < kMinParallelRows ? sorted.size() : sorted.size() / (2 * capacity) + 1;
  std::vector<Piece> pieces;
  for (size_t i = 0; i < sorted.size();) {
    const uint64_t id = sorted[i] >> 32;
    Piece& piece = pieces.emplace_back();
    piece.fragment = manifest_->FindFragment(id);
    for (; i < sorted.size() && sorted[i] >> 32 == id && piece.offsets.size() < piece_rows; ++i) {
      piece.offsets.push_back(static_cast<int64_t>(sorted[i] & 0xFFFFFFFF));
    }
    if (piece.fragment == nullptr ||
        static_cast<uint64_t>(piece.offsets.back()) >= piece.fragment->physical_rows()) {
      return arrow::Status::IndexError("row address ", sorted[i - 1],
                                       " belongs to non-existent fragment or row: fragment ", id, " of ",
                                       uri());
    }
  }
  ARROW_RETURN_NOT_OK(ReadPieces(*this, projection, sorted.size(), &pieces));
  std::vector<uint64_t> found;
  arrow::RecordBatchVector batches;
  for (Piece& piece : pieces) {
    for (const int64_t offset : piece.offsets)
      found.push_back(piece.fragment->id() << 32 | static_cast<uint64_t>(offset));
    batches.push_back(std::move(piece.rows));
  }
  ARROW_ASSIGN_OR_RAISE(const auto all, Concatenate(projection, std::move(batches)));
  return ArrangeRows<uint64_t>(all, found, addresses);
}

arrow::Result<std::vector<uint64_t>> Dataset::AddressesOf(std::span<const int64_t> offsets) const {
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
  return addresses;
}

arrow::Result<std::shared_ptr<arrow::Table>> Dataset::Take(std::span<const int64_t> offsets,
                                                           const std::vector<std::string>& columns) const {
  ARROW_ASSIGN_OR_RAISE(const auto addresses, AddressesOf(offsets));
  ARROW_ASSIGN_OR_RAISE(const auto projection, NewProjection(columns));
  ARROW_ASSIGN_OR_RAISE(auto batch, TakeAddresses(addresses, *projection));
  if (projection->shown_schema() != projection->schema()) {
    ARROW_ASSIGN_OR_RAISE(batch,
                          WithJsonText(batch, projection->shown_schema(), arrow::default_memory_pool()));
  }
  return arrow::Table::FromRecordBatches(batch->schema(), {batch});
}

}  // namespace pilum
