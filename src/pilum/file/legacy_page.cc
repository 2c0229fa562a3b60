// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/legacy_page.h"

#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

#include "pilum/encoding/column_builder.h"
#include "pilum/util/error.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace {

/// Rows are read from a byte's first bit on: with values of a broken number of bytes up to seven rows more.
int64_t RowsInFront(int64_t row, int64_t bits) { return bits % 8 == 0 ? 0 : row % 8; }

/// For pages that hold where rows begin: with the value behind the rows, where the last one ends.
LegacyPart WithEnd(LegacyPart part) {
  ++part.rows.end;
  return part;
}

int64_t CountRows(std::span<const LegacyPart> parts) {
  int64_t n = 0;
  for (const LegacyPart& part : parts) n += part.rows.size();
  return n;
}

/// The first of `n` keys that is not a position among `num_entries`, or -1.
int64_t FindBadKey(const uint8_t* keys, int64_t n, const arrow::DictionaryType& type, int64_t num_entries) {
  const auto& key_type = *type.index_type();
  const int64_t bits = type.bit_width();
  uint64_t limit = static_cast<uint64_t>(num_entries);
  if (arrow::is_signed_integer(key_type.id())) limit = std::min(limit, uint64_t{1} << (bits - 1));
  for (int64_t i = 0; i < n; ++i) {
    uint64_t key = 0;
    std::memcpy(&key, keys + i * bits / 8, static_cast<size_t>(bits / 8));
    if (key >= limit) return i;
  }
  return -1;
}

}  // namespace

arrow::Status LegacyPageReader::Corrupt(int64_t offset, std::string_view what) const {
  return CorruptFile(object_->path(), offset, what);
}

/// The bytes that hold the rows, from the first of RowsInFront on.
arrow::Result<ByteRange> LegacyPageReader::BytesOf(const LegacyPart& part, int64_t bits) const {
  int64_t page_bits = 0;
  if (part.position < 0 || part.position > object_->size() || part.length < 0 ||
      __builtin_mul_overflow(part.length, bits, &page_bits) ||
      arrow::bit_util::BytesForBits(page_bits) > object_->size() - part.position) {
    return Corrupt(part.position, "a page of " + std::to_string(part.length) + " values of " +
                                      std::to_string(bits) + " bits leaves the file");
  }
  if (part.rows.begin < 0 || part.rows.end > part.length) {
    return Corrupt(part.position, "values " + std::to_string(part.rows.begin) + " to " +
                                      std::to_string(part.rows.end) + " of a page of " +
                                      std::to_string(part.length));
  }
  const int64_t begin = (part.rows.begin - RowsInFront(part.rows.begin, bits)) * bits / 8;
  return ByteRange{part.position + begin, arrow::bit_util::BytesForBits(part.rows.end * bits) - begin};
}

/// The pages of a file lie side by side, and no more than eight rows share a byte. Damage that says otherwise
/// must not be able to fill the memory.
arrow::Result<RangeBytes> LegacyPageReader::Read(const std::vector<ByteRange>& ranges) const {
  int64_t passes = 8, left = object_->size();
  for (const ByteRange& range : ranges) {
    if (range.length > left) {
      if (--passes == 0) return Corrupt(range.offset, "pages that overlap");
      left += object_->size();
    }
    left -= range.length;
  }
  return object_->ReadMany(ranges);
}

arrow::Result<std::shared_ptr<arrow::ArrayData>> LegacyPageReader::ReadFixed(
    const LeafType& type, const std::shared_ptr<arrow::ArrayData>& entries,
    std::span<const LegacyPart> parts) const {
  std::vector<ByteRange> ranges;
  for (const LegacyPart& part : parts) {
    ARROW_ASSIGN_OR_RAISE(ranges.emplace_back(), BytesOf(part, type.bits));
  }
  ARROW_ASSIGN_OR_RAISE(const auto fetched, Read(ranges));
  const int64_t num_rows = CountRows(parts);
  ARROW_ASSIGN_OR_RAISE(auto builder, ColumnBuilder::Make(type, num_rows, pool_));
  if (type.kind == LeafType::Kind::kDictionary) builder.UseDictionary(entries);
  for (size_t i = 0; i < parts.size(); ++i) {
    const int64_t n = parts[i].rows.size();
    if (type.kind == LeafType::Kind::kDictionary) {
      const int64_t bad = FindBadKey(fetched.ranges[i].data(), n,
                                     static_cast<const arrow::DictionaryType&>(*type.type), entries->length);
      if (bad >= 0) {
        return Corrupt(ranges[i].offset + bad * type.bits / 8,
                       "a key that is not in the dictionary of " + std::to_string(entries->length));
      }
    }
    ARROW_RETURN_NOT_OK(
        builder.AppendFixed(fetched.ranges[i].data(), RowsInFront(parts[i].rows.begin, type.bits), n));
  }
  ARROW_RETURN_NOT_OK(builder.validity().Append(true, num_rows));
  for (size_t level = 0; level < type.dims.size(); ++level) {
    ARROW_RETURN_NOT_OK(builder.item_validity(level).Append(true, num_rows * type.ItemsThrough(level)));
  }
  return builder.Finish();
}

arrow::Result<std::shared_ptr<arrow::ArrayData>> LegacyPageReader::ReadStrings(
    const LeafType& type, bool nullable, std::span<const LegacyPart> parts) const {
  std::vector<ByteRange> ranges;
  for (LegacyPart part : parts) {
    part = WithEnd(part);
    if (part.length < std::numeric_limits<int64_t>::max()) ++part.length;
    ARROW_ASSIGN_OR_RAISE(ranges.emplace_back(), BytesOf(part, 64));
  }
  ARROW_ASSIGN_OR_RAISE(const auto positions, Read(ranges));
  std::vector<ByteRange> texts;
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto at = [&](int64_t row) { return LoadLE<int64_t>(positions.ranges[i].data() + row * 8); };
    const int64_t n = parts[i].rows.size();
    for (int64_t row = 0; row <= n; ++row) {
      if (at(row) < (row == 0 ? 0 : at(row - 1)) || at(row) > object_->size()) {
        return Corrupt(ranges[i].offset + row * 8, "a text that is not inside the file");
      }
    }
    texts.push_back({at(0), at(n) - at(0)});
  }
  ARROW_ASSIGN_OR_RAISE(const auto fetched, Read(texts));
  ARROW_ASSIGN_OR_RAISE(auto builder, ColumnBuilder::Make(type, CountRows(parts), pool_));
  int64_t num_bytes = 0;
  for (const ByteRange& text : texts) num_bytes += text.length;
  ARROW_RETURN_NOT_OK(builder.ReserveBytes(num_bytes));
  std::vector<uint64_t> offsets;
  for (size_t i = 0; i < parts.size(); ++i) {
    const int64_t n = parts[i].rows.size();
    offsets.clear();
    for (int64_t row = 0; row <= n; ++row) {
      offsets.push_back(
          static_cast<uint64_t>(LoadLE<int64_t>(positions.ranges[i].data() + row * 8) - texts[i].offset));
      if (row > 0) {
        ARROW_RETURN_NOT_OK(builder.validity().Append(!nullable || offsets.back() > offsets.end()[-2], 1));
      }
    }
    ARROW_RETURN_NOT_OK(builder.AppendRun<uint64_t>(reinterpret_cast<const uint8_t*>(offsets.data()), n,
                                                    fetched.ranges[i].data()));
  }
  return builder.Finish();
}

arrow::Result<std::shared_ptr<arrow::ArrayData>> LegacyPageReader::ReadLeaf(
    const LeafType& type, bool nullable, const std::shared_ptr<arrow::ArrayData>& entries,
    std::span<const LegacyPart> parts) const {
  switch (type.kind) {
    case LeafType::Kind::kVariable:
      return ReadStrings(type, nullable, parts);
    case LeafType::Kind::kNull: {
      for (const LegacyPart& part : parts) ARROW_RETURN_NOT_OK(BytesOf(part, 0).status());
      const int64_t n = CountRows(parts);
      return arrow::ArrayData::Make(type.type, n, {nullptr}, n);
    }
    default:
      return ReadFixed(type, entries, parts);
  }
}

arrow::Result<LegacyLists> LegacyPageReader::ReadLists(int offset_bits,
                                                       std::span<const LegacyPart> parts) const {
  std::vector<ByteRange> ranges;
  for (const LegacyPart& part : parts) {
    ARROW_ASSIGN_OR_RAISE(ranges.emplace_back(), BytesOf(WithEnd(part), offset_bits));
  }
  ARROW_ASSIGN_OR_RAISE(const auto fetched, Read(ranges));
  LegacyLists lists;
  for (size_t i = 0; i < parts.size(); ++i) {
    const uint8_t* bytes = fetched.ranges[i].data();
    const auto at = [&](int64_t row) {
      return offset_bits == 64 ? LoadLE<int64_t>(bytes + row * 8) : int64_t{LoadLE<int32_t>(bytes + row * 4)};
    };
    int64_t begin = at(0);
    lists.items.push_back({begin, begin});
    for (int64_t row = 1; row <= parts[i].rows.size(); ++row) {
      const int64_t end = at(row);
      // No page has more values than 31 bits count.
      if (begin < 0 || end < begin || end > std::numeric_limits<int32_t>::max()) {
        return Corrupt(ranges[i].offset + row * offset_bits / 8, "a list that ends before it begins");
      }
      lists.offsets.push_back(lists.offsets.back() + end - begin);
      begin = end;
    }
    lists.items.back().end = begin;
  }
  return lists;
}

}  // namespace pilum
