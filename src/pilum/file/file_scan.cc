// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/file_scan.h"

#include <algorithm>

#include "pilum/util/ordered_tasks.h"

namespace pilum {

namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

constexpr int64_t kPartBytes = int64_t{8} << 20;

class FileScan final : public arrow::RecordBatchReader {
 public:
  /// @param part_rows a multiple of `batch_size`.
  FileScan(const std::shared_ptr<FileReader>& file, const FileProjection& projection, int64_t begin,
           int64_t end, int64_t batch_size, int64_t part_rows)
      : schema_(projection.schema),
        batch_size_(batch_size),
        parts_(static_cast<size_t>((end - begin + part_rows - 1) / part_rows), [=](size_t i) {
          const int64_t from = begin + static_cast<int64_t>(i) * part_rows;
          return file->ReadRange(projection, from, std::min(end, from + part_rows),
                                 arrow::default_memory_pool());
        }) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(BatchPtr* batch) override {
    *batch = nullptr;
    if (part_ == nullptr || at_ == part_->num_rows()) {
      ARROW_ASSIGN_OR_RAISE(auto next, parts_.Next());
      if (!next) return arrow::Status::OK();
      part_ = *std::move(next);
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
  OrderedTasks<BatchPtr> parts_;
  BatchPtr part_;  // being cut
  int64_t at_ = 0;
};

}  // namespace

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> ScanFile(std::shared_ptr<FileReader> file,
                                                                  const FileProjection& projection,
                                                                  int64_t begin, int64_t end,
                                                                  int64_t batch_size) {
  if (batch_size < 1) return arrow::Status::Invalid("a batch size of ", batch_size);
  if (begin < 0 || end < begin || end > file->num_rows()) {
    return arrow::Status::IndexError("cannot read rows ", begin, " to ", end, " from file with ",
                                     file->num_rows(), " rows");
  }
  const int64_t row_bytes = file->num_bytes() / std::max<int64_t>(file->num_rows(), 1) + 1;
  const int64_t batches = std::max<int64_t>(kPartBytes / row_bytes / batch_size, 1);
  return std::make_shared<FileScan>(file, projection, begin, end, batch_size, batches * batch_size);
}

}  // namespace pilum
