// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/file_scan.h"

#include <algorithm>

#include "pilum/file/arrange_rows.h"
#include "pilum/file/scan_pieces.h"
#include "pilum/file/take_pieces.h"

namespace pilum {

namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

class FileScan final : public arrow::RecordBatchReader {
 public:
  /// @param part_rows a multiple of `batch_size`.
  FileScan(const std::shared_ptr<FileReader>& file, const FileProjection& projection, int64_t begin,
           int64_t end, int64_t batch_size, int64_t part_rows)
      : schema_(projection.schema),
        batch_size_(batch_size),
        parts_(static_cast<size_t>((end - begin + part_rows - 1) / part_rows), [=](size_t i) {
          const int64_t from = begin + static_cast<int64_t>(i) * part_rows;
          return ReadInPieces(from, std::min(end, from + part_rows), [&](int64_t first, int64_t last) {
            return file->ReadRange(projection, first, last, arrow::default_memory_pool());
          });
        }) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(BatchPtr* batch) override {
    *batch = nullptr;
    if (part_ == nullptr || at_ == part_->num_rows()) {
      ARROW_ASSIGN_OR_RAISE(part_, parts_.Next());
      if (part_ == nullptr) return arrow::Status::OK();
      at_ = 0;
    }
    *batch = part_->Slice(at_, batch_size_);
    at_ += (*batch)->num_rows();
    return arrow::Status::OK();
  }

  arrow::Status Close() override {
    parts_.Stop();
    part_ = nullptr;
    return arrow::Status::OK();
  }

 private:
  const std::shared_ptr<arrow::Schema> schema_;
  const int64_t batch_size_;
  ScanParts parts_;
  BatchPtr part_;  // being cut
  int64_t at_ = 0;
};

/// Rows `rows`, ascending without repeats, in one batch.
arrow::Result<BatchPtr> TakeInPieces(FileReader& file, const FileProjection& projection,
                                     std::span<const int64_t> rows) {
  const bool parallel = IsParallelTake(rows.size(), projection.column_indices.size());
  const size_t piece_rows = std::max<size_t>(TakePieceRows(rows.size(), parallel), 1);
  arrow::RecordBatchVector pieces(std::max<size_t>((rows.size() + piece_rows - 1) / piece_rows, 1));
  ARROW_RETURN_NOT_OK(ReadTakePieces(parallel, pieces.size(), [&](size_t i) {
    const auto piece = rows.subspan(i * piece_rows, std::min(piece_rows, rows.size() - i * piece_rows));
    return file.Take(projection, piece, arrow::default_memory_pool()).Value(&pieces[i]);
  }));
  return pieces.size() == 1 ? pieces[0] : arrow::ConcatenateRecordBatches(pieces);
}

arrow::Status CheckBatchSize(int64_t batch_size) {
  return batch_size < 1 ? arrow::Status::Invalid("a batch size of ", batch_size) : arrow::Status::OK();
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> ScanFile(std::shared_ptr<FileReader> file,
                                                                  const FileProjection& projection,
                                                                  int64_t begin, int64_t end,
                                                                  int64_t batch_size) {
  ARROW_RETURN_NOT_OK(CheckBatchSize(batch_size));
  if (begin < 0 || end < begin || end > file->num_rows()) {
    return arrow::Status::IndexError("cannot read rows ", begin, " to ", end, " from file with ",
                                     file->num_rows(), " rows");
  }
  const int64_t row_bytes = file->num_bytes() / std::max<int64_t>(file->num_rows(), 1);
  const int64_t batches = std::max<int64_t>(ScanPartRows(*projection.schema, row_bytes) / batch_size, 1);
  return std::make_shared<FileScan>(file, projection, begin, end, batch_size, batches * batch_size);
}

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> TakeFromFile(FileReader& file,
                                                                      const FileProjection& projection,
                                                                      std::span<const int64_t> rows,
                                                                      int64_t batch_size) {
  ARROW_RETURN_NOT_OK(CheckBatchSize(batch_size));
  std::vector<int64_t> once(rows.begin(), rows.end());
  once.erase(std::unique(once.begin(), once.end()), once.end());
  ARROW_ASSIGN_OR_RAISE(auto taken, TakeInPieces(file, projection, once));
  ARROW_ASSIGN_OR_RAISE(taken, ArrangeRows<int64_t>(taken, once, rows));
  arrow::RecordBatchVector batches;
  for (int64_t at = 0; at < taken->num_rows(); at += batch_size)
    batches.push_back(taken->Slice(at, batch_size));
  return arrow::RecordBatchReader::Make(std::move(batches), projection.schema);
}

}  // namespace pilum
