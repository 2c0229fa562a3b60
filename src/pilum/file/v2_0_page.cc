// SPDX-License-Identifier: Apache-2.0
//
// Pages of file version 2.0, as far as indexes and plain tables use them. Spec: 10-file.md §8, §9.
#include <arrow/util/bit_util.h>

#include <algorithm>
#include <cstring>

#include "pilum/encoding/general_compression.h"
#include "pilum/file/page_reader.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace v2_0 = lance::encodings;

namespace {

/// An encoding without its Nullable.
struct Unwrapped {
  const v2_0::ArrayEncoding* values = nullptr;    // null: all rows are null
  const v2_0::ArrayEncoding* validity = nullptr;  // null: no bitmap
};

Unwrapped Unwrap(const v2_0::ArrayEncoding& encoding) {
  if (!encoding.has_nullable()) return {&encoding, nullptr};
  const auto& nullable = encoding.nullable();
  if (nullable.has_no_nulls()) return {&nullable.no_nulls().values(), nullptr};
  if (nullable.has_some_nulls()) return {&nullable.some_nulls().values(), &nullable.some_nulls().validity()};
  return {};
}

class PageBuffers {
 public:
  explicit PageBuffers(const PageDescription& page) : page_(page) {}

  /// The place of an uncompressed flat buffer of `bits` per value and `n` values.
  arrow::Result<ByteRange> Flat(const v2_0::ArrayEncoding& encoding, int64_t bits, int64_t n) const {
    if (!encoding.has_flat()) {
      return arrow::Status::NotImplemented("2.0 encoding ", static_cast<int>(encoding.array_encoding_case()));
    }
    const auto& flat = encoding.flat();
    if (flat.has_compression() && flat.compression().scheme() != "none") {
      return arrow::Status::NotImplemented("2.0 pages compressed with ", flat.compression().scheme());
    }
    if (flat.bits_per_value() != static_cast<uint64_t>(bits)) {
      return arrow::Status::Invalid("values of ", flat.bits_per_value(), " bits where ", bits,
                                    " were expected");
    }
    ARROW_ASSIGN_OR_RAISE(const ByteRange range, Resolve(flat.buffer()));
    if (n >= 0 && (n > (int64_t{1} << 56) / bits || range.length < arrow::bit_util::BytesForBits(n * bits))) {
      return arrow::Status::Invalid("a buffer of ", range.length, " bytes for ", n, " values of ", bits,
                                    " bits");
    }
    return range;
  }

 private:
  arrow::Result<ByteRange> Resolve(const v2_0::Buffer& buffer) const {
    if (buffer.buffer_type() != v2_0::Buffer::page || buffer.buffer_index() >= page_.buffers.size()) {
      return arrow::Status::Invalid("buffer ", buffer.buffer_index(), " of a page of ", page_.buffers.size());
    }
    return page_.buffers[buffer.buffer_index()];
  }

  const PageDescription& page_;
};

/// Whole bytes around bits [begin, end).
ByteRange BitBytes(const ByteRange& buffer, int64_t begin, int64_t end) {
  return {buffer.offset + begin / 8, (end + 7) / 8 - begin / 8};
}

class FixedPage final : public PageReader {
 public:
  FixedPage(PageDescription page, LeafType type) : PageReader(std::move(page), std::move(type)) {}

  arrow::Status Prepare(const v2_0::ArrayEncoding& encoding) {
    const PageBuffers buffers(page_);
    Unwrapped level = Unwrap(encoding);
    int64_t items = 1;
    for (size_t depth = 0;; ++depth) {
      ByteRange validity{};
      if (level.validity != nullptr) {
        ARROW_ASSIGN_OR_RAISE(validity, buffers.Flat(*level.validity, 1, page_.num_rows * items));
      }
      validity_.push_back({level.validity != nullptr, level.values == nullptr, validity, items});
      if (level.values == nullptr || depth == type_.dims.size()) break;
      if (!level.values->has_fixed_size_list() ||
          level.values->fixed_size_list().dimension() != static_cast<uint64_t>(type_.dims[depth])) {
        return arrow::Status::Invalid("a page without vectors of ", type_.dims[depth], " items");
      }
      items *= type_.dims[depth];
      level = Unwrap(level.values->fixed_size_list().items());
    }
    if (level.values != nullptr) {
      ARROW_ASSIGN_OR_RAISE(values_, buffers.Flat(*level.values, type_.item_bits, page_.num_rows * items));
      has_values_ = true;
    }
    return arrow::Status::OK();
  }

  void Plan(std::span<const RowRange> rows, std::vector<ByteRange>* bytes) const override {
    for (const RowRange& range : rows) {
      for (const Validity& level : validity_) {
        if (level.bitmap)
          bytes->push_back(BitBytes(level.bytes, range.begin * level.items, range.end * level.items));
      }
      if (has_values_) bytes->push_back(BitBytes(values_, range.begin * type_.bits, range.end * type_.bits));
    }
  }

  arrow::Status Decode(std::span<const RowRange> rows, Buffers buffers, ColumnBuilder* out) const override {
    size_t next = 0;
    for (const RowRange& range : rows) {
      for (size_t depth = 0; depth <= type_.dims.size(); ++depth) {
        ValidityBuilder& to = depth == 0 ? out->validity() : out->item_validity(depth - 1);
        const int64_t items = depth == 0 ? 1 : type_.ItemsThrough(depth - 1);
        const bool all_null = depth >= validity_.size() || validity_[depth].all_null;
        if (depth < validity_.size() && validity_[depth].bitmap) {
          ARROW_RETURN_NOT_OK(
              to.AppendBits(buffers[next++]->data(), range.begin * items % 8, range.size() * items));
        } else {
          ARROW_RETURN_NOT_OK(to.Append(!all_null, range.size() * items));
        }
      }
      if (!has_values_) {
        ARROW_RETURN_NOT_OK(out->AppendZeros(range.size()));
      } else if (type_.bits % 8 == 0) {
        ARROW_RETURN_NOT_OK(out->AppendFixed(buffers[next++]->data(), 0, range.size()));
      } else {
        ARROW_RETURN_NOT_OK(AppendBits(*buffers[next++], range, out));
      }
    }
    return arrow::Status::OK();
  }

 private:
  struct Validity {
    bool bitmap;
    bool all_null;
    ByteRange bytes;
    int64_t items;  // per row
  };

  arrow::Status AppendBits(const arrow::Buffer& bytes, RowRange range, ColumnBuilder* out) const {
    if (type_.bits == 1) return out->AppendFixed(bytes.data(), range.begin % 8, range.size());
    for (int64_t row = range.begin; row < range.end; ++row) {  // vectors of booleans that end inside a byte
      const int64_t first_bit = row * type_.bits - range.begin * type_.bits / 8 * 8;
      std::string value(static_cast<size_t>((type_.bits + 7) / 8), '\0');
      for (int64_t bit = 0; bit < type_.bits; ++bit) {
        arrow::bit_util::SetBitTo(reinterpret_cast<uint8_t*>(value.data()), bit,
                                  arrow::bit_util::GetBit(bytes.data(), first_bit + bit));
      }
      ARROW_RETURN_NOT_OK(out->AppendFixed(reinterpret_cast<const uint8_t*>(value.data()), 0, 1));
    }
    return arrow::Status::OK();
  }

  std::vector<Validity>
      validity_;  // of rows, then of the items of each dimension; may stop at an all-null one
  bool has_values_ = false;
  ByteRange values_{};
};

/// Strings: u64 ends, where an end at or above the adjustment marks a null; then the text. The ends are read
/// once: any row then takes one exact read.
class BinaryPage final : public PageReader {
 public:
  BinaryPage(PageDescription page, LeafType type) : PageReader(std::move(page), std::move(type)) {}

  arrow::Status Prepare(const v2_0::ArrayEncoding& encoding) {
    const Unwrapped outer = Unwrap(encoding);
    if (outer.values == nullptr) {
      all_null_ = true;
      return arrow::Status::OK();
    }
    if (outer.validity != nullptr || !outer.values->has_binary()) {
      return arrow::Status::NotImplemented(
          "2.0 encoding ", static_cast<int>(outer.values->array_encoding_case()), " of strings");
    }
    const auto& binary = outer.values->binary();
    const Unwrapped indices = Unwrap(binary.indices()), text = Unwrap(binary.bytes());
    if (indices.values == nullptr || text.values == nullptr || indices.validity || text.validity) {
      return arrow::Status::Invalid("strings with null offsets");
    }
    const PageBuffers buffers(page_);
    ARROW_ASSIGN_OR_RAISE(ends_range_, buffers.Flat(*indices.values, 64, page_.num_rows));
    ends_range_.length = page_.num_rows * 8;
    ARROW_ASSIGN_OR_RAISE(text_, buffers.Flat(*text.values, 8, -1));
    adjustment_ = binary.null_adjustment();
    return arrow::Status::OK();
  }

  std::vector<ByteRange> InitRanges() const override {
    return all_null_ ? std::vector<ByteRange>{} : std::vector<ByteRange>{ends_range_};
  }

  arrow::Status Init(Buffers buffers) override {
    if (all_null_) return arrow::Status::OK();
    ends_ = buffers[0];
    uint64_t last = 0;
    for (int64_t row = 0; row < page_.num_rows; ++row) {
      const uint64_t end = End(row);
      if (end < last || end > static_cast<uint64_t>(text_.length)) {
        return Corrupt(ends_range_.offset + row * 8, "a string that ends at " + std::to_string(end) + " of " +
                                                         std::to_string(text_.length));
      }
      last = end;
    }
    return arrow::Status::OK();
  }

  void Plan(std::span<const RowRange> rows, std::vector<ByteRange>* bytes) const override {
    if (all_null_) return;
    for (const RowRange& range : rows) {
      const int64_t begin = Start(range.begin);
      bytes->push_back({text_.offset + begin, Start(range.end) - begin});
    }
  }

  arrow::Status Decode(std::span<const RowRange> rows, Buffers buffers, ColumnBuilder* out) const override {
    for (size_t i = 0; i < rows.size(); ++i) {
      if (all_null_) {
        ARROW_RETURN_NOT_OK(out->validity().Append(false, rows[i].size()));
        ARROW_RETURN_NOT_OK(out->AppendZeros(rows[i].size()));
        continue;
      }
      const auto text = AsSpan(*buffers[i]);
      const int64_t base = Start(rows[i].begin);
      for (int64_t row = rows[i].begin; row < rows[i].end; ++row) {
        const int64_t begin = Start(row), end = Start(row + 1);
        ARROW_RETURN_NOT_OK(out->validity().Append(!IsNull(row), 1));
        ARROW_RETURN_NOT_OK(out->AppendBytes(
            text.subspan(static_cast<size_t>(begin - base), static_cast<size_t>(end - begin))));
      }
    }
    return arrow::Status::OK();
  }

 private:
  bool IsNull(int64_t row) const {
    return adjustment_ != 0 && LoadLE<uint64_t>(ends_->data() + row * 8) >= adjustment_;
  }
  uint64_t End(int64_t row) const {
    const uint64_t stored = LoadLE<uint64_t>(ends_->data() + row * 8);
    return IsNull(row) ? stored - adjustment_ : stored;
  }
  int64_t Start(int64_t row) const { return row == 0 ? 0 : static_cast<int64_t>(End(row - 1)); }

  bool all_null_ = false;
  ByteRange ends_range_{};
  ByteRange text_{};
  uint64_t adjustment_ = 0;
  std::shared_ptr<arrow::Buffer> ends_;
};

/// Strings with few distinct values: u8 indices from 1, 0 is null. Only Utf8 columns are written so.
class DictionaryPage final : public PageReader {
 public:
  DictionaryPage(PageDescription page, LeafType type, arrow::MemoryPool* pool)
      : PageReader(std::move(page), std::move(type)), pool_(pool) {}

  arrow::Status Prepare(const v2_0::Dictionary& dictionary) {
    const Unwrapped indices = Unwrap(dictionary.indices());
    if (indices.values == nullptr || indices.validity != nullptr) {
      return arrow::Status::Invalid("a dictionary page with null indices");
    }
    ARROW_ASSIGN_OR_RAISE(indices_, PageBuffers(page_).Flat(*indices.values, 8, page_.num_rows));
    if (dictionary.num_dictionary_items() > 256) {
      return arrow::Status::Invalid("a dictionary of ", dictionary.num_dictionary_items(), " strings");
    }
    PageDescription items_page{page_.path, page_.buffers, dictionary.num_dictionary_items()};
    auto items = std::make_unique<BinaryPage>(std::move(items_page), type_);
    ARROW_RETURN_NOT_OK(items->Prepare(dictionary.items()));
    items_page_ = std::move(items);
    return arrow::Status::OK();
  }

  // The strings are at most 255: both buffers of their page are read whole.
  std::vector<ByteRange> InitRanges() const override { return page_.buffers; }

  arrow::Status Init(Buffers buffers) override {
    const auto bytes_of = [&](const ByteRange& range) -> std::shared_ptr<arrow::Buffer> {
      for (size_t i = 0; i < page_.buffers.size(); ++i) {
        const ByteRange& have = page_.buffers[i];
        if (range.offset >= have.offset && range.end() <= have.end()) {
          return arrow::SliceBuffer(buffers[i], range.offset - have.offset, range.length);
        }
      }
      return nullptr;
    };
    std::vector<std::shared_ptr<arrow::Buffer>> parts;
    for (const ByteRange& range : items_page_->InitRanges()) parts.push_back(bytes_of(range));
    ARROW_RETURN_NOT_OK(items_page_->Init(parts));
    const RowRange all{0, items_page_->num_rows()};
    std::vector<ByteRange> plan;
    if (all.size() > 0) items_page_->Plan({&all, 1}, &plan);
    parts.clear();
    for (const ByteRange& range : plan) parts.push_back(bytes_of(range));
    ARROW_ASSIGN_OR_RAISE(auto builder, ColumnBuilder::Make(type_, all.size(), pool_));
    if (all.size() > 0) ARROW_RETURN_NOT_OK(items_page_->Decode({&all, 1}, parts, &builder));
    ARROW_ASSIGN_OR_RAISE(items_, builder.Finish());
    return arrow::Status::OK();
  }

  void Plan(std::span<const RowRange> rows, std::vector<ByteRange>* bytes) const override {
    for (const RowRange& range : rows) bytes->push_back({indices_.offset + range.begin, range.size()});
  }

  arrow::Status Decode(std::span<const RowRange> rows, Buffers buffers, ColumnBuilder* out) const override {
    const int32_t* offsets = items_->GetValues<int32_t>(1);
    const uint8_t* text = items_->buffers[2]->data();
    for (size_t i = 0; i < rows.size(); ++i) {
      for (int64_t k = 0; k < rows[i].size(); ++k) {
        const int64_t index = buffers[i]->data()[k];
        if (index > items_->length) {
          return Corrupt(indices_.offset + rows[i].begin + k, "an index beyond the dictionary");
        }
        ARROW_RETURN_NOT_OK(out->validity().Append(index != 0, 1));
        if (index == 0) {
          ARROW_RETURN_NOT_OK(out->AppendZeros(1));
        } else {
          ARROW_RETURN_NOT_OK(out->AppendBytes(
              {text + offsets[index - 1], static_cast<size_t>(offsets[index] - offsets[index - 1])}));
        }
      }
    }
    return arrow::Status::OK();
  }

 private:
  arrow::MemoryPool* const pool_;
  ByteRange indices_{};
  std::unique_ptr<PageReader> items_page_;
  std::shared_ptr<arrow::ArrayData> items_;
};

/// Columns of type null.
class NullPage final : public PageReader {
 public:
  NullPage(PageDescription page, LeafType type) : PageReader(std::move(page), std::move(type)) {}
  void Plan(std::span<const RowRange>, std::vector<ByteRange>*) const override {}
  arrow::Status Decode(std::span<const RowRange> rows, Buffers, ColumnBuilder* out) const override {
    for (const RowRange& range : rows) ARROW_RETURN_NOT_OK(out->AppendZeros(range.size()));
    return arrow::Status::OK();
  }
};

}  // namespace

arrow::Result<std::unique_ptr<PageReader>> PageReader::Make(PageDescription page,
                                                            const v2_0::ArrayEncoding& encoding,
                                                            const LeafType& type, arrow::MemoryPool* pool) {
  if (type.kind == LeafType::Kind::kNull) return std::make_unique<NullPage>(std::move(page), type);
  if (type.kind == LeafType::Kind::kFixed) {
    auto reader = std::make_unique<FixedPage>(std::move(page), type);
    ARROW_RETURN_NOT_OK(reader->Prepare(encoding));
    return reader;
  }
  const Unwrapped outer = Unwrap(encoding);
  if (outer.values != nullptr && outer.values->has_dictionary()) {
    if (type.offset_bits != 32) return arrow::Status::Invalid("a dictionary page in ", type.type->ToString());
    auto reader = std::make_unique<DictionaryPage>(std::move(page), type, pool);
    ARROW_RETURN_NOT_OK(reader->Prepare(outer.values->dictionary()));
    return reader;
  }
  auto reader = std::make_unique<BinaryPage>(std::move(page), type);
  ARROW_RETURN_NOT_OK(reader->Prepare(encoding));
  return reader;
}

}  // namespace pilum
