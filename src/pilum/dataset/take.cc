// SPDX-License-Identifier: Apache-2.0
//
// Dataset's rows by position and by address.
#include <algorithm>
#include <numeric>

#include "pilum/dataset/dataset.h"
#include "pilum/dataset/fragment_reader.h"
#include "pilum/dataset/live_rows.h"
#include "pilum/dataset/projection.h"
#include "pilum/encoding/json_column.h"
#include "pilum/file/arrange_rows.h"
#include "pilum/file/take_pieces.h"

namespace pilum {

namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

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
  const bool parallel = IsParallelTake(sorted.size(), projection.columns().size());
  const size_t piece_rows = TakePieceRows(sorted.size(), parallel);
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
  ARROW_RETURN_NOT_OK(ReadTakePieces(parallel, pieces.size(),
                                     [&](size_t i) { return ReadPiece(*this, projection, &pieces[i]); }));
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
