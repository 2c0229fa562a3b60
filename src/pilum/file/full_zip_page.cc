// SPDX-License-Identifier: Apache-2.0
//
// Full-zip pages of columns that are not nested: wide values, each with its level in front, so that one row
// is one exact read. Spec: 11-encodings.md §5.
#include <optional>

#include "pilum/file/full_zip_values.h"
#include "pilum/file/page_reader.h"

namespace pilum {

namespace enc = lance::encodings21;

namespace {

class FixedFullZipPage final : public PageReader {
 public:
  FixedFullZipPage(PageDescription page, LeafType type, ControlWord word, FixedFullZipValues values)
      : PageReader(std::move(page), std::move(type)),
        word_(word),
        values_(std::move(values)),
        stride_(static_cast<int64_t>(word.bytes()) + values_.bytes()) {}

  arrow::Status Prepare() const {
    if (page_.buffers.size() != 1)
      return arrow::Status::Invalid("a fixed-width page with a repetition index");
    const int64_t size = page_.buffers[0].length;
    if (stride_ == 0 ? size != 0 : size % stride_ != 0 || size / stride_ != page_.num_rows) {
      return arrow::Status::Invalid("a page of ", size, " bytes for ", page_.num_rows, " values of ",
                                    stride_);
    }
    return arrow::Status::OK();
  }

  void Plan(std::span<const RowRange> rows, std::vector<ByteRange>* bytes) const override {
    for (const RowRange& range : rows) {
      bytes->push_back({page_.buffers[0].offset + range.begin * stride_, range.size() * stride_});
    }
  }
  arrow::Status Decode(std::span<const RowRange> rows, Buffers buffers, ColumnBuilder* out) const override;

 private:
  const ControlWord word_;
  const FixedFullZipValues values_;
  const int64_t stride_;
};

arrow::Status FixedFullZipPage::Decode(std::span<const RowRange> rows, Buffers buffers,
                                       ColumnBuilder* out) const {
  for (size_t i = 0; i < rows.size(); ++i) {
    const uint8_t* at = buffers[i].data();
    if (word_.bytes() == 0 && values_.plain()) {  // the page is an array
      ARROW_RETURN_NOT_OK(out->validity().Append(true, rows[i].size()));
      for (size_t level = 0; level < type_.dims.size(); ++level) {
        ARROW_RETURN_NOT_OK(
            out->item_validity(level).Append(true, rows[i].size() * type_.ItemsThrough(level)));
      }
      ARROW_RETURN_NOT_OK(out->AppendFixed(at, 0, rows[i].size()));
      continue;
    }
    for (int64_t row = rows[i].begin; row < rows[i].end; ++row, at += stride_) {
      ARROW_RETURN_NOT_OK(out->validity().Append(word_.Definition(at) == 0, 1));
      ARROW_RETURN_NOT_OK(values_.Append(at + word_.bytes(), out));
    }
  }
  return arrow::Status::OK();
}

class VariableFullZipPage final : public PageReader {
 public:
  VariableFullZipPage(PageDescription page, LeafType type, ControlWord word, VariableFullZipValues values)
      : PageReader(std::move(page), std::move(type)), word_(word), values_(std::move(values)) {}

  std::vector<ByteRange> InitRanges() const override { return {page_.buffers[1]}; }
  arrow::Status Init(Buffers buffers) override {
    auto offsets = RowOffsets::Parse(buffers[0], page_.num_rows, page_.buffers[0].length);
    if (!offsets.ok()) return Locate(offsets.status(), page_.buffers[1].offset);
    offsets_ = *std::move(offsets);
    return arrow::Status::OK();
  }
  void Plan(std::span<const RowRange> rows, std::vector<ByteRange>* bytes) const override {
    for (const RowRange& range : rows) {
      const int64_t begin = offsets_[range.begin];
      bytes->push_back({page_.buffers[0].offset + begin, offsets_[range.end] - begin});
    }
  }
  arrow::Status Decode(std::span<const RowRange> rows, Buffers buffers, ColumnBuilder* out) const override;

 private:
  arrow::Status AppendRow(std::span<const uint8_t> row, ColumnBuilder* out) const;

  const ControlWord word_;
  const VariableFullZipValues values_;
  RowOffsets offsets_;
};

arrow::Status VariableFullZipPage::AppendRow(std::span<const uint8_t> row, ColumnBuilder* out) const {
  if (row.size() < word_.bytes()) return arrow::Status::Invalid("a row without its level");
  const bool valid = word_.Definition(row.data()) == 0;
  ARROW_RETURN_NOT_OK(out->validity().Append(valid, 1));
  if (!valid) return out->AppendZeros(1);
  ARROW_ASSIGN_OR_RAISE(const auto stored, values_.Front(row.subspan(word_.bytes())));
  if (word_.bytes() + values_.length_bytes() + stored.size() != row.size()) {
    return arrow::Status::Invalid("a value of ", stored.size(), " bytes in a row of ", row.size());
  }
  return values_.Append(stored, out);
}

arrow::Status VariableFullZipPage::Decode(std::span<const RowRange> rows, Buffers buffers,
                                          ColumnBuilder* out) const {
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto bytes = buffers[i];
    const int64_t base = offsets_[rows[i].begin];
    for (int64_t row = rows[i].begin; row < rows[i].end; ++row) {
      const int64_t begin = offsets_[row], end = offsets_[row + 1];
      const auto status =
          AppendRow(bytes.subspan(static_cast<size_t>(begin - base), static_cast<size_t>(end - begin)), out);
      if (!status.ok()) return Locate(status, page_.buffers[0].offset + begin);
    }
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<std::unique_ptr<PageReader>> MakeFullZipPage(PageDescription page,
                                                           const enc::FullZipLayout& layout,
                                                           const LeafType& type, arrow::MemoryPool* pool) {
  if (layout.bits_rep() != 0) return arrow::Status::Invalid("repetition levels in a page without lists");
  ARROW_ASSIGN_OR_RAISE(const ControlWord word, ControlWord::Make(layout.bits_rep(), layout.bits_def()));
  if (layout.has_bits_per_offset()) {
    if (page.buffers.size() != 2)
      return arrow::Status::Invalid("a page of values of different lengths without a repetition index");
    ARROW_ASSIGN_OR_RAISE(auto values, VariableFullZipValues::Make(layout.value_compression(),
                                                                   layout.bits_per_offset(), type, pool));
    return std::make_unique<VariableFullZipPage>(std::move(page), type, word, std::move(values));
  }
  ARROW_ASSIGN_OR_RAISE(auto values,
                        FixedFullZipValues::Make(layout.value_compression(), layout.bits_per_value(), type));
  auto reader = std::make_unique<FixedFullZipPage>(std::move(page), type, word, std::move(values));
  ARROW_RETURN_NOT_OK(reader->Prepare());
  return reader;
}

}  // namespace pilum
