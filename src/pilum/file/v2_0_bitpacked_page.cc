// SPDX-License-Identifier: Apache-2.0
//
// 2.0 pages of integers in fewer bits than their type has, which only early writers made: one stream of bits,
// or the units of bitpacking.h. Spec: 10-file.md §9.11.
#include <arrow/util/bit_util.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "pilum/encoding/bitpacking.h"
#include "pilum/file/v2_0_page.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace v2_0 = lance::encodings;

namespace {

constexpr int64_t kMaxRows = int64_t{1} << 56;  // far beyond any file

/// `width` bits of a stream from bit `at` on, the lowest first.
uint64_t BitsAt(const uint8_t* stream, int64_t at, int width) {
  uint64_t value = 0;
  for (int done = 0; done < width;) {
    const int64_t bit = at + done;
    const int shift = static_cast<int>(bit % 8), take = std::min(8 - shift, width - done);
    const uint64_t part = static_cast<uint64_t>(stream[bit / 8] >> shift) & ((uint64_t{1} << take) - 1);
    value |= part << done;
    done += take;
  }
  return value;
}

class BitpackedPage final : public PageReader {
 public:
  BitpackedPage(PageDescription page, LeafType type) : PageReader(std::move(page), std::move(type)) {}

  arrow::Status Prepare(const v2_0::ArrayEncoding& encoding) {
    if (page_.num_rows > kMaxRows) return arrow::Status::Invalid("a page of ", page_.num_rows, " rows");
    const UnwrappedV2_0 outer = UnwrappedV2_0::Of(encoding);
    ARROW_ASSIGN_OR_RAISE(validity_, RowValidityV2_0::Find(page_, outer.validity));
    if (outer.values->has_bitpacked()) {
      signed_ = outer.values->bitpacked().signed_();
      return PrepareValues(outer.values->bitpacked(), page_.num_rows);
    }
    units_ = true;
    const int64_t num_units = page_.num_rows / kBitpackingUnit + (page_.num_rows % kBitpackingUnit != 0);
    return PrepareValues(outer.values->bitpacked_for_non_neg(), num_units * kBitpackingUnit);
  }

  void Plan(std::span<const RowRange> rows, std::vector<ByteRange>* bytes) const override {
    for (const RowRange& range : rows) {
      validity_.Plan(range, bytes);
      const int64_t end = units_ ? (UnitOf(range.end - 1) + 1) * kBitpackingUnit : range.end;
      bytes->push_back(BytesOfBits(values_, FirstStored(range) * width_, end * width_));
    }
  }

  arrow::Status Decode(std::span<const RowRange> rows, Buffers buffers, ColumnBuilder* out) const override {
    for (const RowRange& range : rows) {
      ARROW_RETURN_NOT_OK(validity_.Append(range, &buffers, out));
      ARROW_RETURN_NOT_OK(AppendValues(buffers.front().data(), range, out));
      buffers = buffers.subspan(1);
    }
    return arrow::Status::OK();
  }

 private:
  template <typename Message>
  arrow::Status PrepareValues(const Message& packed, int64_t num_stored) {
    const bool integers = type_.kind == LeafType::Kind::kFixed && !type_.is_vector() && !type_.is_packed() &&
                          (type_.bits == 8 || type_.bits == 16 || type_.bits == 32 || type_.bits == 64);
    const uint64_t bits = static_cast<uint64_t>(type_.bits), width = packed.compressed_bits_per_value();
    if (!integers || packed.uncompressed_bits_per_value() != bits || width == 0 || width > bits) {
      return arrow::Status::Invalid("values of ", packed.uncompressed_bits_per_value(), " bits packed to ",
                                    width, " in a column of ", type_.type->ToString());
    }
    width_ = static_cast<int>(width);
    v2_0::ArrayEncoding stored;
    stored.mutable_flat()->set_bits_per_value(width);
    *stored.mutable_flat()->mutable_buffer() = packed.buffer();
    ARROW_ASSIGN_OR_RAISE(values_, FindPlainV2_0(page_, stored, width_, num_stored));
    return arrow::Status::OK();
  }

  static int64_t UnitOf(int64_t row) { return row / kBitpackingUnit; }
  /// The first value of which bytes are read.
  int64_t FirstStored(const RowRange& range) const {
    return units_ ? UnitOf(range.begin) * kBitpackingUnit : range.begin;
  }

  arrow::Status AppendValues(const uint8_t* bytes, const RowRange& range, ColumnBuilder* out) const {
    switch (type_.bits) {
      case 8:
        return AppendAs<uint8_t>(bytes, range, out);
      case 16:
        return AppendAs<uint16_t>(bytes, range, out);
      case 32:
        return AppendAs<uint32_t>(bytes, range, out);
      default:
        return AppendAs<uint64_t>(bytes, range, out);
    }
  }

  template <typename T>
  arrow::Status AppendAs(const uint8_t* bytes, const RowRange& range, ColumnBuilder* out) const {
    ARROW_ASSIGN_OR_RAISE(uint8_t* to, out->AppendUninitialized(range.size()));
    if (units_) {
      UnpackUnits<T>(bytes, range, to);
      return arrow::Status::OK();
    }
    const int64_t first_bit = range.begin * width_ % 8;
    for (int64_t i = 0; i < range.size(); ++i, to += sizeof(T)) {
      uint64_t value = BitsAt(bytes, first_bit + i * width_, width_);
      if (signed_ && width_ < 64 && value >> (width_ - 1) != 0) value |= ~uint64_t{0} << width_;
      StoreLE(to, static_cast<T>(value));
    }
    return arrow::Status::OK();
  }

  template <typename T>
  void UnpackUnits(const uint8_t* bytes, const RowRange& range, uint8_t* to) const {
    std::array<T, kBitpackingUnit> packed, unit;
    const size_t unit_bytes = static_cast<size_t>(PackedWords<T>(width_)) * sizeof(T);
    for (int64_t row = range.begin; row < range.end; bytes += unit_bytes) {
      std::memcpy(packed.data(), bytes, unit_bytes);
      Unpack<T>(packed.data(), width_, unit.data());
      const int64_t first = row % kBitpackingUnit;
      const int64_t count = std::min(kBitpackingUnit - first, range.end - row);
      std::memcpy(to, unit.data() + first, static_cast<size_t>(count) * sizeof(T));
      to += static_cast<size_t>(count) * sizeof(T);
      row += count;
    }
  }

  RowValidityV2_0 validity_;
  bool units_ = false;
  bool signed_ = false;
  int width_ = 0;  // bits of a stored value, 1 to those of the type
  ByteRange values_{};
};

}  // namespace

arrow::Result<std::unique_ptr<PageReader>> MakeBitpackedPageV2_0(PageDescription page,
                                                                 const v2_0::ArrayEncoding& encoding,
                                                                 const LeafType& type) {
  auto reader = std::make_unique<BitpackedPage>(std::move(page), type);
  ARROW_RETURN_NOT_OK(reader->Prepare(encoding));
  return reader;
}

}  // namespace pilum
