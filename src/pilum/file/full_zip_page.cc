// SPDX-License-Identifier: Apache-2.0
//
// Full-zip pages: wide values, each with its level in front, so that one row is one exact read. Spec:
// 11-encodings.md §5.
#include <algorithm>
#include <cstring>
#include <optional>

#include "pilum/encoding/fsst.h"
#include "pilum/encoding/general_compression.h"
#include "pilum/encoding/value_decoder.h"
#include "pilum/file/page_reader.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace enc = lance::encodings21;

namespace {

/// The levels in front of a value. Without lists every slot is a row and holds a definition level at most.
class ControlWord {
 public:
  static arrow::Result<ControlWord> Make(uint32_t bits_rep, uint32_t bits_def) {
    if (bits_rep != 0) return arrow::Status::Invalid("repetition levels in a page without lists");
    if (bits_def > 16) return arrow::Status::Invalid("definition levels of ", bits_def, " bits");
    ControlWord word;
    word.bytes_ = bits_def == 0 ? 0 : bits_def <= 8 ? 1 : 2;
    word.mask_ = static_cast<uint16_t>((uint32_t{1} << bits_def) - 1);
    return word;
  }

  int64_t bytes() const { return bytes_; }
  uint16_t Definition(const uint8_t* at) const {
    if (bytes_ == 0) return 0;
    return static_cast<uint16_t>((bytes_ == 1 ? *at : LoadLE<uint16_t>(at)) & mask_);
  }

 private:
  int64_t bytes_ = 0;
  uint16_t mask_ = 0;
};

// ---- Fixed width
// -----------------------------------------------------------------------------------------------

class FixedFullZipPage final : public PageReader {
 public:
  FixedFullZipPage(PageDescription page, LeafType type, ControlWord word)
      : PageReader(std::move(page), std::move(type)), word_(word) {}

  arrow::Status Prepare(const enc::FullZipLayout& layout);

  void Plan(std::span<const RowRange> rows, std::vector<ByteRange>* bytes) const override {
    for (const RowRange& range : rows) {
      bytes->push_back({page_.buffers[0].offset + range.begin * stride_, range.size() * stride_});
    }
  }
  arrow::Status Decode(std::span<const RowRange> rows, Buffers buffers, ColumnBuilder* out) const override;

 private:
  arrow::Status AppendValue(const uint8_t* value, ColumnBuilder* out) const;

  const ControlWord word_;
  std::optional<VectorEncoding> vector_;
  bool byte_booleans_ = false;  // 0 or 1 in a byte
  int64_t value_bytes_ = 0;     // with the validity of the items, without the control word
  int64_t validity_bytes_ = 0;
  int64_t stride_ = 0;
};

arrow::Status FixedFullZipPage::Prepare(const enc::FullZipLayout& layout) {
  if (type_.kind != LeafType::Kind::kFixed) {
    return arrow::Status::Invalid("fixed-width values in a column of ", type_.type->ToString());
  }
  const auto& encoding = layout.value_compression();
  int64_t data_bits = type_.bits;
  if (type_.is_vector()) {
    ARROW_ASSIGN_OR_RAISE(vector_, VectorEncoding::Parse(encoding, type_));
    for (size_t level = 0; level < type_.dims.size(); ++level) {
      if (vector_->has_validity[level]) validity_bytes_ += (type_.ItemsThrough(level) + 7) / 8;
    }
    if (vector_->all_items_null) data_bits = 0;
  } else {
    byte_booleans_ = type_.bits == 1;
    if (byte_booleans_) data_bits = 8;
    if (!encoding.has_flat() || encoding.flat().bits_per_value() != static_cast<uint64_t>(data_bits)) {
      return arrow::Status::Invalid("full-zip values that are not flat ", data_bits, " bits");
    }
  }
  if (data_bits % 8 != 0) return arrow::Status::NotImplemented("full-zip values of ", data_bits, " bits");
  value_bytes_ = validity_bytes_ + data_bits / 8;
  stride_ = word_.bytes() + value_bytes_;
  if (layout.bits_per_value() != static_cast<uint64_t>(value_bytes_ * 8)) {
    return arrow::Status::Invalid("a page of ", layout.bits_per_value(), " bits per value, its encoding has ",
                                  value_bytes_ * 8);
  }
  const int64_t size = page_.buffers.empty() ? 0 : page_.buffers[0].length;
  if (stride_ > 0 && (size % stride_ != 0 || size / stride_ != page_.num_rows)) {
    return arrow::Status::Invalid("a page of ", size, " bytes for ", page_.num_rows, " values of ", stride_);
  }
  if (page_.buffers.size() != 1) return arrow::Status::Invalid("a fixed-width page with a repetition index");
  return arrow::Status::OK();
}

arrow::Status FixedFullZipPage::AppendValue(const uint8_t* value, ColumnBuilder* out) const {
  if (byte_booleans_) return out->AppendFixed(value, 0, 1);
  if (vector_) {
    for (size_t level = 0; level < type_.dims.size(); ++level) {
      const int64_t items = type_.ItemsThrough(level);
      ValidityBuilder& validity = out->item_validity(level);
      if (vector_->has_validity[level]) {
        ARROW_RETURN_NOT_OK(validity.AppendBits(value, 0, items));
        value += (items + 7) / 8;
      } else {
        const bool valid = !vector_->all_items_null || level + 1 < type_.dims.size();
        ARROW_RETURN_NOT_OK(validity.Append(valid, items));
      }
    }
    if (vector_->all_items_null) return out->AppendZeros(1);
  }
  return out->AppendFixed(value, 0, 1);
}

arrow::Status FixedFullZipPage::Decode(std::span<const RowRange> rows, Buffers buffers,
                                       ColumnBuilder* out) const {
  const bool plain =
      word_.bytes() == 0 && validity_bytes_ == 0 && !byte_booleans_ && !(vector_ && vector_->all_items_null);
  for (size_t i = 0; i < rows.size(); ++i) {
    const uint8_t* at = buffers[i]->data();
    if (plain) {  // the page is an array
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
      ARROW_RETURN_NOT_OK(AppendValue(at + word_.bytes(), out));
    }
  }
  return arrow::Status::OK();
}

// ---- Variable width
// --------------------------------------------------------------------------------------------

class VariableFullZipPage final : public PageReader {
 public:
  VariableFullZipPage(PageDescription page, LeafType type, ControlWord word, arrow::MemoryPool* pool)
      : PageReader(std::move(page), std::move(type)), word_(word), pool_(pool) {}

  arrow::Status Prepare(const enc::FullZipLayout& layout);

  std::vector<ByteRange> InitRanges() const override { return {page_.buffers[1]}; }
  arrow::Status Init(Buffers buffers) override;
  void Plan(std::span<const RowRange> rows, std::vector<ByteRange>* bytes) const override {
    for (const RowRange& range : rows) {
      const int64_t begin = RowOffset(range.begin);
      bytes->push_back({page_.buffers[0].offset + begin, RowOffset(range.end) - begin});
    }
  }
  arrow::Status Decode(std::span<const RowRange> rows, Buffers buffers, ColumnBuilder* out) const override;

 private:
  int64_t RowOffset(int64_t row) const {
    const uint8_t* at = index_->data() + row * index_width_;
    switch (index_width_) {
      case 1:
        return *at;
      case 2:
        return LoadLE<uint16_t>(at);
      case 4:
        return LoadLE<uint32_t>(at);
      default:
        return LoadLE<int64_t>(at);
    }
  }
  arrow::Status AppendRow(std::span<const uint8_t> row, ColumnBuilder* out) const;

  const ControlWord word_;
  arrow::MemoryPool* const pool_;
  size_t length_bytes_ = 4;
  std::optional<FsstDecoder> fsst_;
  std::optional<enc::CompressionScheme> scheme_;
  std::shared_ptr<arrow::Buffer> index_;  // num_rows + 1 offsets, ascending
  int64_t index_width_ = 0;
};

arrow::Status VariableFullZipPage::Prepare(const enc::FullZipLayout& layout) {
  if (type_.kind != LeafType::Kind::kVariable) {
    return arrow::Status::Invalid("strings in a column of ", type_.type->ToString());
  }
  if (layout.bits_per_offset() != 32 && layout.bits_per_offset() != 64) {
    return arrow::Status::Invalid("lengths of ", layout.bits_per_offset(), " bits");
  }
  length_bytes_ = layout.bits_per_offset() / 8;
  if (page_.buffers.size() != 2)
    return arrow::Status::Invalid("a page of strings without its repetition index");
  const auto& encoding = layout.value_compression();
  switch (encoding.compression_case()) {
    case enc::CompressiveEncoding::kVariable:
      return arrow::Status::OK();
    case enc::CompressiveEncoding::kFsst: {
      const std::string& table = encoding.fsst().symbol_table();
      ARROW_ASSIGN_OR_RAISE(fsst_, FsstDecoder::Parse(AsSpan(table)));
      return arrow::Status::OK();
    }
    case enc::CompressiveEncoding::kGeneral:
      scheme_ = encoding.general().compression().scheme();
      return arrow::Status::OK();
    default:
      return arrow::Status::NotImplemented("full-zip encoding ",
                                           static_cast<int>(encoding.compression_case()));
  }
}

arrow::Status VariableFullZipPage::Init(Buffers buffers) {
  index_ = buffers[0];
  index_width_ = index_->size() / (page_.num_rows + 1);
  if (index_->size() % (page_.num_rows + 1) != 0 ||
      (index_width_ != 1 && index_width_ != 2 && index_width_ != 4 && index_width_ != 8)) {
    return Corrupt(page_.buffers[1].offset, "a repetition index of " + std::to_string(index_->size()) +
                                                " bytes for " + std::to_string(page_.num_rows) + " rows");
  }
  int64_t last = 0;
  for (int64_t row = 0; row <= page_.num_rows; ++row) {
    const int64_t offset = RowOffset(row);
    if (offset < last || offset > page_.buffers[0].length) {
      return Corrupt(page_.buffers[1].offset + row * index_width_, "the repetition index does not ascend");
    }
    last = offset;
  }
  return arrow::Status::OK();
}

arrow::Status VariableFullZipPage::AppendRow(std::span<const uint8_t> row, ColumnBuilder* out) const {
  const size_t header = static_cast<size_t>(word_.bytes());
  if (row.size() < header) return arrow::Status::Invalid("a row without its level");
  const bool valid = word_.Definition(row.data()) == 0;
  ARROW_RETURN_NOT_OK(out->validity().Append(valid, 1));
  if (!valid) return out->AppendZeros(1);
  row = row.subspan(header);
  if (row.size() < length_bytes_) return arrow::Status::Invalid("a value without its length");
  const uint64_t length = length_bytes_ == 4 ? LoadLE<uint32_t>(row.data()) : LoadLE<uint64_t>(row.data());
  row = row.subspan(length_bytes_);
  if (length != row.size()) {
    return arrow::Status::Invalid("a value of ", length, " bytes in a row of ", row.size());
  }
  if (scheme_) {
    ARROW_ASSIGN_OR_RAISE(auto text, Decompress(*scheme_, row, pool_));
    return out->AppendBytes(AsSpan(*text));
  }
  if (fsst_) {
    arrow::BufferBuilder text(pool_);
    ARROW_RETURN_NOT_OK(fsst_->Decode(row, &text));
    return out->AppendBytes({text.data(), static_cast<size_t>(text.length())});
  }
  return out->AppendBytes(row);
}

arrow::Status VariableFullZipPage::Decode(std::span<const RowRange> rows, Buffers buffers,
                                          ColumnBuilder* out) const {
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto bytes = AsSpan(*buffers[i]);
    const int64_t base = RowOffset(rows[i].begin);
    int64_t begin = 0;
    for (int64_t row = rows[i].begin; row < rows[i].end; ++row) {
      const int64_t end = RowOffset(row + 1) - base;
      const auto status =
          AppendRow(bytes.subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin)), out);
      if (!status.ok()) return Locate(status, page_.buffers[0].offset + base + begin);
      begin = end;
    }
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<std::unique_ptr<PageReader>> MakeFullZipPage(PageDescription page,
                                                           const enc::FullZipLayout& layout,
                                                           const LeafType& type, arrow::MemoryPool* pool) {
  ARROW_RETURN_NOT_OK(HasNullableItem(layout.layers()).status());
  ARROW_ASSIGN_OR_RAISE(const ControlWord word, ControlWord::Make(layout.bits_rep(), layout.bits_def()));
  if (layout.has_bits_per_offset()) {
    auto reader = std::make_unique<VariableFullZipPage>(std::move(page), type, word, pool);
    ARROW_RETURN_NOT_OK(reader->Prepare(layout));
    return reader;
  }
  auto reader = std::make_unique<FixedFullZipPage>(std::move(page), type, word);
  ARROW_RETURN_NOT_OK(reader->Prepare(layout));
  return reader;
}

}  // namespace pilum
