// SPDX-License-Identifier: Apache-2.0
#include <arrow/array/builder_base.h>
#include <arrow/builder.h>

#include <algorithm>

#include "pilum/file/file_writer.h"
#include "pilum/index/scalar/btree_files.h"
#include "pilum/index/scalar/btree_index.h"

namespace pilum {

namespace {

using TypePtr = std::shared_ptr<arrow::DataType>;

/// The sorted values of all batches as one sequence.
class ValueSequence {
 public:
  explicit ValueSequence(const arrow::RecordBatchVector& batches) : batches_(batches) {
    for (const auto& batch : batches_) {
      starts_.push_back(num_rows_);
      num_rows_ += batch->num_rows();
      num_nulls_ += batch->column(0)->null_count();
    }
  }

  int64_t num_rows() const { return num_rows_; }
  int64_t num_nulls() const { return num_nulls_; }

  arrow::Status AppendTo(int64_t row, arrow::ArrayBuilder* builder) const {
    const size_t i =
        static_cast<size_t>(std::upper_bound(starts_.begin(), starts_.end(), row) - starts_.begin()) - 1;
    return builder->AppendArraySlice(arrow::ArraySpan(*batches_[i]->column_data(0)), row - starts_[i], 1);
  }

 private:
  const arrow::RecordBatchVector& batches_;
  std::vector<int64_t> starts_;
  int64_t num_rows_ = 0;
  int64_t num_nulls_ = 0;
};

arrow::Result<std::unique_ptr<FileWriter>> NewFile(ObjectStore& directory, const char* name,
                                                   const arrow::Schema& schema,
                                                   const BTreeWriteOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto sink, directory.Create(name, options.durability));
  ARROW_ASSIGN_OR_RAISE(auto lance_schema, Schema::FromArrow(schema));
  FileWriterOptions file_options;
  file_options.version = options.version;
  return FileWriter::Make(std::move(sink), std::move(lance_schema), file_options);
}

arrow::Result<BTreeIndexFile> WritePages(ObjectStore& directory, const TypePtr& type,
                                         const arrow::RecordBatchVector& sorted,
                                         const BTreeWriteOptions& options) {
  const auto schema =
      arrow::schema({arrow::field("values", type), arrow::field("ids", arrow::uint64(), /*nullable=*/false)});
  ARROW_ASSIGN_OR_RAISE(auto writer, NewFile(directory, kBTreePageFile, *schema, options));
  for (const auto& batch : sorted) {
    if (batch->num_columns() != 2 || !batch->column(0)->type()->Equals(*type)) {
      return arrow::Status::TypeError("a BTree over ", type->ToString(), " cannot hold ",
                                      batch->schema()->ToString());
    }
    ARROW_RETURN_NOT_OK(
        writer->Write(*arrow::RecordBatch::Make(schema, batch->num_rows(), batch->columns())));
  }
  ARROW_ASSIGN_OR_RAISE(const auto written, writer->Finish());
  return BTreeIndexFile{kBTreePageFile, written.num_bytes};
}

/// One row per page: its first and last value and its nulls.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> MakeLookup(const TypePtr& type,
                                                              const ValueSequence& values,
                                                              int64_t page_rows) {
  const auto schema = arrow::schema({arrow::field("min", type), arrow::field("max", type),
                                     arrow::field("null_count", arrow::uint32(), /*nullable=*/false),
                                     arrow::field("page_idx", arrow::uint32(), /*nullable=*/false)});
  ARROW_ASSIGN_OR_RAISE(auto min, arrow::MakeBuilder(type));
  ARROW_ASSIGN_OR_RAISE(auto max, arrow::MakeBuilder(type));
  arrow::UInt32Builder null_counts, numbers;
  uint32_t number = 0;
  for (int64_t begin = 0; begin < values.num_rows(); begin += page_rows) {
    const int64_t end = std::min(begin + page_rows, values.num_rows());
    ARROW_RETURN_NOT_OK(values.AppendTo(begin, min.get()));
    ARROW_RETURN_NOT_OK(values.AppendTo(end - 1, max.get()));
    const int64_t nulls = std::clamp<int64_t>(values.num_nulls() - begin, 0, end - begin);
    ARROW_RETURN_NOT_OK(null_counts.Append(static_cast<uint32_t>(nulls)));
    ARROW_RETURN_NOT_OK(numbers.Append(number++));
  }
  arrow::ArrayVector columns(4);
  ARROW_RETURN_NOT_OK(min->Finish(&columns[0]));
  ARROW_RETURN_NOT_OK(max->Finish(&columns[1]));
  ARROW_RETURN_NOT_OK(null_counts.Finish(&columns[2]));
  ARROW_RETURN_NOT_OK(numbers.Finish(&columns[3]));
  return arrow::RecordBatch::Make(schema, number, std::move(columns));
}

}  // namespace

arrow::Result<std::vector<BTreeIndexFile>> WriteBTreeIndex(ObjectStore& directory, const TypePtr& value_type,
                                                           const arrow::RecordBatchVector& sorted,
                                                           const BTreeWriteOptions& options) {
  if (options.page_rows <= 0) return arrow::Status::Invalid("pages of ", options.page_rows, " rows");
  ARROW_ASSIGN_OR_RAISE(auto pages, WritePages(directory, value_type, sorted, options));
  ARROW_ASSIGN_OR_RAISE(const auto lookup, MakeLookup(value_type, ValueSequence(sorted), options.page_rows));
  ARROW_ASSIGN_OR_RAISE(auto writer, NewFile(directory, kBTreeLookupFile, *lookup->schema(), options));
  writer->AddSchemaMetadata(kBTreePageRowsKey, std::to_string(options.page_rows));
  writer->AddSchemaMetadata(kBTreeRangePartitionedKey, "false");
  ARROW_RETURN_NOT_OK(writer->Write(*lookup));
  ARROW_ASSIGN_OR_RAISE(const auto written, writer->Finish());
  return std::vector<BTreeIndexFile>{std::move(pages), {kBTreeLookupFile, written.num_bytes}};
}

}  // namespace pilum
