// SPDX-License-Identifier: Apache-2.0
//
// Full-zip pages of nested columns: a row is the slots between two entries of the repetition index; without
// lists and with values of one width it is one slot. Spec: 11-encodings.md §5.2, §5.3.
#include <algorithm>
#include <optional>

#include "pilum/file/full_zip_values.h"
#include "pilum/file/page_reader.h"

namespace pilum {

namespace enc = lance::encodings21;

namespace {

class NestedFullZipPage final : public PageReader {
 public:
  NestedFullZipPage(PageDescription page, const enc::FullZipLayout& layout, LeafType type, ControlWord word,
                    arrow::MemoryPool* pool)
      : PageReader(std::move(page), std::move(type)),
        layers_(LayersOf(layout.layers())),
        word_(word),
        pool_(pool) {
    Levels levels;
    levels.layers = layers_;
    max_visible_ = levels.max_visible();
    num_lists_ = levels.num_lists();
  }

  arrow::Status Prepare(const enc::FullZipLayout& layout);

  std::vector<ByteRange> InitRanges() const override {
    return has_index() ? std::vector<ByteRange>{page_.buffers[1]} : std::vector<ByteRange>{};
  }
  arrow::Status Init(Buffers buffers) override;
  void Plan(std::span<const RowRange> rows, std::vector<ByteRange>* bytes) const override {
    for (const RowRange& range : rows) {
      const int64_t begin = RowOffset(range.begin);
      bytes->push_back({page_.buffers[0].offset + begin, RowOffset(range.end) - begin});
    }
  }
  arrow::Status DecodeNested(std::span<const RowRange> rows, Buffers buffers,
                             NestedPiece* out) const override;

 private:
  using Values = std::vector<std::span<const uint8_t>>;

  bool has_index() const { return num_lists_ > 0 || variable_; }
  int64_t RowOffset(int64_t row) const { return has_index() ? (*offsets_)[row] : row * stride_; }
  /// Takes the slots of `rows` apart: their levels, and the stored bytes of each value. Rows must begin where
  /// the index says, or a row would be another one when it is read with others.
  arrow::Status Split(std::span<const uint8_t> bytes, RowRange rows, Levels* levels, Values* values) const;
  arrow::Result<std::span<const uint8_t>> TakeValue(uint16_t definition,
                                                    std::span<const uint8_t>* bytes) const;

  const std::vector<enc::RepDefLayer> layers_;
  const ControlWord word_;
  arrow::MemoryPool* const pool_;
  uint16_t max_visible_ = 0;
  int num_lists_ = 0;
  std::optional<FixedFullZipValues> fixed_;
  std::optional<VariableFullZipValues> variable_;
  int64_t stride_ = 0;  // of pages without an index
  std::optional<RowOffsets> offsets_;
};

arrow::Status NestedFullZipPage::Prepare(const enc::FullZipLayout& layout) {
  if (layout.has_bits_per_offset()) {
    ARROW_ASSIGN_OR_RAISE(variable_, VariableFullZipValues::Make(layout.value_compression(),
                                                                 layout.bits_per_offset(), type_, pool_));
  } else {
    ARROW_ASSIGN_OR_RAISE(
        fixed_, FixedFullZipValues::Make(layout.value_compression(), layout.bits_per_value(), type_));
    stride_ = static_cast<int64_t>(word_.bytes()) + fixed_->bytes();
  }
  if (page_.buffers.size() != (has_index() ? 2u : 1u)) {
    return arrow::Status::Invalid("a full-zip page with ", page_.buffers.size(), " buffers");
  }
  const int64_t size = page_.buffers[0].length;
  // Vectors of nulls may have no bytes at all: their rows are known to be valid.
  const bool fits = stride_ == 0 ? size == 0 : size % stride_ == 0 && size / stride_ == page_.num_rows;
  if (!has_index() && !fits) {
    return arrow::Status::Invalid("a page of ", size, " bytes for ", page_.num_rows, " values of ", stride_);
  }
  if (num_lists_ > 0 && stride_ == 0 && fixed_) return arrow::Status::Invalid("lists without levels");
  return arrow::Status::OK();
}

arrow::Status NestedFullZipPage::Init(Buffers buffers) {
  if (!has_index()) return arrow::Status::OK();
  auto offsets = RowOffsets::Parse(buffers[0], page_.num_rows, page_.buffers[0].length);
  if (!offsets.ok()) return Locate(offsets.status(), page_.buffers[1].offset);
  offsets_ = *std::move(offsets);
  return arrow::Status::OK();
}

arrow::Result<std::span<const uint8_t>> NestedFullZipPage::TakeValue(uint16_t definition,
                                                                     std::span<const uint8_t>* bytes) const {
  std::span<const uint8_t> value;
  if (fixed_) {
    const size_t size = static_cast<size_t>(fixed_->bytes());
    if (bytes->size() < size)
      return arrow::Status::Invalid("a value of ", bytes->size(), " of ", size, " bytes");
    value = bytes->first(size);
    *bytes = bytes->subspan(size);
  } else if (definition == 0) {
    ARROW_ASSIGN_OR_RAISE(value, variable_->Front(*bytes));
    *bytes = bytes->subspan(variable_->length_bytes() + value.size());
  }
  return value;
}

arrow::Status NestedFullZipPage::Split(std::span<const uint8_t> bytes, RowRange rows, Levels* levels,
                                       Values* values) const {
  if (!has_index() && stride_ == 0) {
    levels->num_slots += rows.size();
    levels->definition.resize(levels->definition.size() + static_cast<size_t>(rows.size()));
    values->resize(values->size() + static_cast<size_t>(rows.size()));
    return arrow::Status::OK();
  }
  const int64_t end = RowOffset(rows.end);
  int64_t row = rows.begin;
  while (!bytes.empty()) {
    if (bytes.size() < word_.bytes()) return arrow::Status::Invalid("a slot without its levels");
    const uint16_t repetition = word_.Repetition(bytes.data()), definition = word_.Definition(bytes.data());
    if (num_lists_ == 0 || repetition == num_lists_) {
      const int64_t at = end - static_cast<int64_t>(bytes.size());
      if (row == rows.end || RowOffset(row) != at) {
        return arrow::Status::Invalid("a row begins at ", at, " of the page, row ", row, " at ",
                                      RowOffset(row));
      }
      ++row;
    }
    bytes = bytes.subspan(word_.bytes());
    if (num_lists_ > 0) levels->repetition.push_back(repetition);
    levels->definition.push_back(definition);
    ++levels->num_slots;
    if (definition > max_visible_) continue;
    ARROW_ASSIGN_OR_RAISE(const auto value, TakeValue(definition, &bytes));
    values->push_back(value);
  }
  if (row != rows.end) {
    return arrow::Status::Invalid("levels of ", row - rows.begin, " rows where ", rows.size(),
                                  " were expected");
  }
  return arrow::Status::OK();
}

arrow::Status NestedFullZipPage::DecodeNested(std::span<const RowRange> rows, Buffers buffers,
                                              NestedPiece* out) const {
  out->levels.layers = layers_;
  Values values;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto status = Split(buffers[i], rows[i], &out->levels, &values);
    if (!status.ok()) return Locate(status, page_.buffers[0].offset + RowOffset(rows[i].begin));
  }
  const int64_t n = static_cast<int64_t>(values.size());
  ARROW_ASSIGN_OR_RAISE(auto builder, ColumnBuilder::Make(type_, n, pool_));
  size_t next = 0;
  for (const uint16_t definition : out->levels.definition) {
    if (definition > max_visible_) continue;
    const auto value = values[next++];
    const auto status = fixed_            ? fixed_->Append(value.data(), &builder)
                        : definition != 0 ? builder.AppendZeros(1)
                                          : variable_->Append(value, &builder);
    if (!status.ok()) return Locate(status, page_.buffers[0].offset);
  }
  ARROW_RETURN_NOT_OK(builder.validity().Append(true, n));
  ARROW_ASSIGN_OR_RAISE(out->values, builder.Finish());
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<std::unique_ptr<PageReader>> MakeNestedFullZipPage(PageDescription page,
                                                                 const enc::FullZipLayout& layout,
                                                                 const LeafType& type,
                                                                 arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(const ControlWord word, ControlWord::Make(layout.bits_rep(), layout.bits_def()));
  auto reader = std::make_unique<NestedFullZipPage>(std::move(page), layout, type, word, pool);
  ARROW_RETURN_NOT_OK(reader->Prepare(layout));
  return reader;
}

}  // namespace pilum
