// SPDX-License-Identifier: Apache-2.0
//
// Constant pages: all rows null, or all valid rows equal. Spec: 11-encodings.md §6.
#include <arrow/array.h>

#include <cstring>

#include "pilum/encoding/block.h"
#include "pilum/file/page_reader.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace enc = lance::encodings21;

namespace {

class ConstantPage final : public PageReader {
 public:
  ConstantPage(PageDescription page, enc::ConstantLayout layout, LeafType type, arrow::MemoryPool* pool)
      : PageReader(std::move(page), std::move(type)), layout_(std::move(layout)), pool_(pool) {}

  arrow::Status Prepare();

  std::vector<ByteRange> InitRanges() const override { return page_.buffers; }
  arrow::Status Init(Buffers buffers) override;
  void Plan(std::span<const RowRange>, std::vector<ByteRange>*) const override {}
  arrow::Status Decode(std::span<const RowRange> rows, Buffers buffers, ColumnBuilder* out) const override;

 private:
  arrow::Status InitLevels(const arrow::Buffer& repetition, const arrow::Buffer& definition);
  arrow::Status InitScalar(std::span<const uint8_t> values);
  arrow::Status AppendScalar(int64_t n, ColumnBuilder* out) const;

  const enc::ConstantLayout layout_;
  arrow::MemoryPool* const pool_;
  bool nullable_ = false;
  bool has_scalar_ = false;
  std::vector<uint16_t> levels_;  // empty: as `nullable_` says, all valid or all null
  std::string scalar_;            // the bytes of the value
};

arrow::Status ConstantPage::Prepare() {
  ARROW_ASSIGN_OR_RAISE(nullable_, HasNullableItem(layout_.layers()));
  const size_t n = page_.buffers.size();
  if (n > 3 || (layout_.has_inline_value() && n % 2 == 1)) {
    return arrow::Status::Invalid("a constant page with ", n, " buffers");
  }
  has_scalar_ = layout_.has_inline_value() || n % 2 == 1;
  if (has_scalar_ && type_.kind == LeafType::Kind::kDictionary) {
    return arrow::Status::Invalid("a constant in a column of ", type_.type->ToString());
  }
  return arrow::Status::OK();
}

arrow::Status ConstantPage::Init(Buffers buffers) {
  const size_t scalar_buffers = buffers.size() % 2;
  if (buffers.size() >= 2) {
    ARROW_RETURN_NOT_OK(Locate(InitLevels(*buffers[scalar_buffers], *buffers[scalar_buffers + 1]),
                               page_.buffers[scalar_buffers].offset));
  }
  if (layout_.has_inline_value()) {
    scalar_ = layout_.inline_value();
    const size_t wanted = type_.bits % 8 == 0 ? static_cast<size_t>(type_.bits / 8) : 1;
    if (type_.kind != LeafType::Kind::kFixed || type_.is_vector() || scalar_.size() != wanted) {
      return Corrupt(0, "a constant of " + std::to_string(scalar_.size()) + " bytes in a column of " +
                            type_.type->ToString());
    }
  } else if (scalar_buffers == 1) {
    return Locate(InitScalar(AsSpan(*buffers[0])), page_.buffers[0].offset);
  }
  return arrow::Status::OK();
}

arrow::Status ConstantPage::InitLevels(const arrow::Buffer& repetition, const arrow::Buffer& definition) {
  if (repetition.size() != 0) return arrow::Status::Invalid("repetition levels in a page without lists");
  if (definition.size() == 0) return arrow::Status::OK();
  const int64_t n = page_.num_rows;
  if (layout_.has_def_compression()) {
    if (layout_.num_def_values() != static_cast<uint64_t>(n)) {
      return arrow::Status::Invalid(layout_.num_def_values(), " levels for ", n, " rows");
    }
    if (n / 4096 / 1024 > definition.size())
      return arrow::Status::Invalid("too few bytes for ", n, " levels");
    levels_.resize(static_cast<size_t>(n));
    return DecodeFixedBlock(layout_.def_compression(), AsSpan(definition), n, 16,
                            reinterpret_cast<uint8_t*>(levels_.data()), pool_);
  }
  if (definition.size() != 2 * n)
    return arrow::Status::Invalid(definition.size(), " bytes of levels for ", n, " rows");
  levels_.resize(static_cast<size_t>(n));
  std::memcpy(levels_.data(), definition.data(), static_cast<size_t>(definition.size()));
  return arrow::Status::OK();
}

/// u32 number of buffers, their lengths, their bytes: an array of one element.
arrow::Status ConstantPage::InitScalar(std::span<const uint8_t> bytes) {
  LittleEndianCursor cursor(bytes);
  const bool variable = type_.kind == LeafType::Kind::kVariable;
  if (type_.is_vector() || type_.kind == LeafType::Kind::kNull || cursor.U32() != (variable ? 2u : 1u)) {
    return arrow::Status::Invalid("a constant that does not fit a column of ", type_.type->ToString());
  }
  if (!variable) {
    const uint32_t size = cursor.U32();
    scalar_ = std::string(cursor.Chars(size));
    if (!cursor.ok() || size * 8 != type_.bits || cursor.position() != bytes.size()) {
      return arrow::Status::Invalid("a constant of ", size, " bytes in a column of ", type_.type->ToString());
    }
    return arrow::Status::OK();
  }
  const bool wide = type_.offset_bits == 64;
  const uint32_t offsets_size = cursor.U32(), size = cursor.U32();
  const uint64_t first = wide ? cursor.U64() : cursor.U32(), last = wide ? cursor.U64() : cursor.U32();
  scalar_ = std::string(cursor.Chars(size));
  if (!cursor.ok() || offsets_size != (wide ? 16u : 8u) || first != 0 || last != size ||
      cursor.position() != bytes.size()) {
    return arrow::Status::Invalid("a constant string of ", size, " bytes that is not whole");
  }
  return arrow::Status::OK();
}

arrow::Status ConstantPage::AppendScalar(int64_t n, ColumnBuilder* out) const {
  const auto* bytes = reinterpret_cast<const uint8_t*>(scalar_.data());
  for (int64_t i = 0; i < n; ++i) {
    if (type_.kind == LeafType::Kind::kVariable) {
      ARROW_RETURN_NOT_OK(out->AppendBytes({bytes, scalar_.size()}));
    } else {
      ARROW_RETURN_NOT_OK(out->AppendFixed(bytes, 0, 1));
    }
  }
  return arrow::Status::OK();
}

arrow::Status ConstantPage::Decode(std::span<const RowRange> rows, Buffers, ColumnBuilder* out) const {
  for (const RowRange& range : rows) {
    if (!has_scalar_ && levels_.empty()) {
      ARROW_RETURN_NOT_OK(out->validity().Append(!nullable_, range.size()));
    } else if (levels_.empty()) {
      ARROW_RETURN_NOT_OK(out->validity().Append(true, range.size()));
    } else {
      ARROW_RETURN_NOT_OK(out->validity().AppendLevels(levels_.data() + range.begin, range.size()));
    }
    for (size_t level = 0; level < type_.dims.size(); ++level) {
      ARROW_RETURN_NOT_OK(out->item_validity(level).Append(false, range.size() * type_.ItemsThrough(level)));
    }
    ARROW_RETURN_NOT_OK(has_scalar_ ? AppendScalar(range.size(), out) : out->AppendZeros(range.size()));
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<std::unique_ptr<PageReader>> MakeConstantPage(PageDescription page,
                                                            const enc::ConstantLayout& layout,
                                                            const LeafType& type, arrow::MemoryPool* pool) {
  auto reader = std::make_unique<ConstantPage>(std::move(page), layout, type, pool);
  ARROW_RETURN_NOT_OK(reader->Prepare());
  return reader;
}

}  // namespace pilum
