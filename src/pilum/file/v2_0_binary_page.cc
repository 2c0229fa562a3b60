// SPDX-License-Identifier: Apache-2.0
//
// 2.0 pages of strings: u64 ends, where an end at or above the adjustment marks a null; then the text, plain,
// compressed as a whole, or as FSST codes string by string. Spec: 10-file.md §9.6, §9.7.
#include <optional>
#include <vector>

#include "pilum/encoding/fsst.h"
#include "pilum/encoding/general_compression.h"
#include "pilum/file/v2_0_page.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace v2_0 = lance::encodings;

namespace {

/// The ends are read once: any row of plain text then takes one exact read.
class BinaryPage final : public PageReader {
 public:
  BinaryPage(PageDescription page, LeafType type, arrow::MemoryPool* pool)
      : PageReader(std::move(page), std::move(type)), pool_(pool) {}

  arrow::Status Prepare(const v2_0::ArrayEncoding& encoding);

  std::vector<ByteRange> InitRanges() const override {
    return all_null_ ? std::vector<ByteRange>{} : std::vector<ByteRange>{ends_range_};
  }
  arrow::Status Init(Buffers buffers) override;
  void Plan(std::span<const RowRange> rows, std::vector<ByteRange>* bytes) const override;
  arrow::Status Decode(std::span<const RowRange> rows, Buffers buffers, ColumnBuilder* out) const override;

 private:
  arrow::Status PrepareBinary(const v2_0::Binary& binary);
  /// Rows of which `text` holds the bytes from `base` of the page's text on.
  arrow::Status AppendRows(RowRange rows, std::span<const uint8_t> text, int64_t base,
                           ColumnBuilder* out) const;

  bool IsNull(int64_t row) const {
    return adjustment_ != 0 && LoadLE<uint64_t>(ends_.data() + row * 8) >= adjustment_;
  }
  uint64_t End(int64_t row) const {
    const uint64_t stored = LoadLE<uint64_t>(ends_.data() + row * 8);
    return IsNull(row) ? stored - adjustment_ : stored;
  }
  int64_t Start(int64_t row) const { return row == 0 ? 0 : static_cast<int64_t>(End(row - 1)); }

  arrow::MemoryPool* const pool_;
  bool all_null_ = false;
  ByteRange ends_range_{};
  FlatBufferV2_0 text_{};
  uint64_t adjustment_ = 0;
  std::optional<FsstDecoder> fsst_;
  std::vector<uint8_t> ends_;
};

arrow::Status BinaryPage::Prepare(const v2_0::ArrayEncoding& encoding) {
  const UnwrappedV2_0 outer = UnwrappedV2_0::Of(encoding);
  if (outer.values == nullptr) {
    all_null_ = true;
    return arrow::Status::OK();
  }
  if (outer.validity == nullptr && outer.values->has_binary()) return PrepareBinary(outer.values->binary());
  if (outer.validity == nullptr && outer.values->has_fsst()) {
    const auto& fsst = outer.values->fsst();
    ARROW_ASSIGN_OR_RAISE(fsst_, FsstDecoder::Parse(AsSpan(fsst.symbol_table())));
    const UnwrappedV2_0 codes = UnwrappedV2_0::Of(fsst.binary());
    if (codes.values == nullptr || codes.validity != nullptr || !codes.values->has_binary()) {
      return arrow::Status::Invalid("FSST codes that are not strings");
    }
    return PrepareBinary(codes.values->binary());
  }
  return arrow::Status::NotImplemented("2.0 encoding ", static_cast<int>(outer.values->array_encoding_case()),
                                       " of strings");
}

arrow::Status BinaryPage::PrepareBinary(const v2_0::Binary& binary) {
  const UnwrappedV2_0 indices = UnwrappedV2_0::Of(binary.indices()), text = UnwrappedV2_0::Of(binary.bytes());
  if (indices.values == nullptr || text.values == nullptr || indices.validity || text.validity) {
    return arrow::Status::Invalid("strings with null offsets");
  }
  ARROW_ASSIGN_OR_RAISE(ends_range_, FindPlainV2_0(page_, *indices.values, 64, page_.num_rows));
  ends_range_.length = page_.num_rows * 8;
  ARROW_ASSIGN_OR_RAISE(text_, FindFlatV2_0(page_, *text.values, 8, 0));
  adjustment_ = binary.null_adjustment();
  return arrow::Status::OK();
}

arrow::Status BinaryPage::Init(Buffers buffers) {
  if (all_null_) return arrow::Status::OK();
  ends_.assign(buffers[0].begin(), buffers[0].end());
  const bool plain = text_.compression.empty();
  const uint64_t limit = plain ? static_cast<uint64_t>(text_.range.length) : INT64_MAX;
  uint64_t last = 0;
  for (int64_t row = 0; row < page_.num_rows; ++row) {
    const uint64_t end = End(row);
    if (end < last || end > limit) {
      return Corrupt(ends_range_.offset + row * 8,
                     "a string that ends at " + std::to_string(end) + " of " + std::to_string(limit));
    }
    last = end;
  }
  return arrow::Status::OK();
}

void BinaryPage::Plan(std::span<const RowRange> rows, std::vector<ByteRange>* bytes) const {
  if (all_null_) return;
  if (!text_.compression.empty()) {
    bytes->push_back(text_.range);
    return;
  }
  for (const RowRange& range : rows) {
    const int64_t begin = Start(range.begin);
    bytes->push_back({text_.range.offset + begin, Start(range.end) - begin});
  }
}

arrow::Status BinaryPage::AppendRows(RowRange rows, std::span<const uint8_t> text, int64_t base,
                                     ColumnBuilder* out) const {
  if (Start(rows.end) - base > static_cast<int64_t>(text.size())) {
    return arrow::Status::Invalid("a string that ends at ", Start(rows.end), " of ", text.size());
  }
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    const int64_t begin = Start(row), end = Start(row + 1);
    const auto value = text.subspan(static_cast<size_t>(begin - base), static_cast<size_t>(end - begin));
    ARROW_RETURN_NOT_OK(out->validity().Append(!IsNull(row), 1));
    if (!fsst_) {
      ARROW_RETURN_NOT_OK(out->AppendBytes(value));
      continue;
    }
    ARROW_RETURN_NOT_OK(fsst_->Decode(value, out->bytes()));
    ARROW_RETURN_NOT_OK(out->EndValue());
  }
  return arrow::Status::OK();
}

arrow::Status BinaryPage::Decode(std::span<const RowRange> rows, Buffers buffers, ColumnBuilder* out) const {
  std::shared_ptr<arrow::Buffer> whole;
  if (!text_.compression.empty()) {
    const auto scheme = text_.compression == "lz4" ? lance::encodings21::COMPRESSION_ALGORITHM_LZ4
                                                   : lance::encodings21::COMPRESSION_ALGORITHM_ZSTD;
    auto text = Decompress(scheme, buffers[0], pool_);
    if (!text.ok()) return Locate(text.status(), text_.range.offset);
    whole = *std::move(text);
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    if (all_null_) {
      ARROW_RETURN_NOT_OK(out->validity().Append(false, rows[i].size()));
      ARROW_RETURN_NOT_OK(out->AppendZeros(rows[i].size()));
      continue;
    }
    const auto status = whole != nullptr ? AppendRows(rows[i], AsSpan(*whole), 0, out)
                                         : AppendRows(rows[i], buffers[i], Start(rows[i].begin), out);
    if (!status.ok()) return Locate(status, text_.range.offset);
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<std::unique_ptr<PageReader>> MakeBinaryPageV2_0(PageDescription page,
                                                              const v2_0::ArrayEncoding& encoding,
                                                              const LeafType& type, arrow::MemoryPool* pool) {
  auto reader = std::make_unique<BinaryPage>(std::move(page), type, pool);
  ARROW_RETURN_NOT_OK(reader->Prepare(encoding));
  return reader;
}

}  // namespace pilum
