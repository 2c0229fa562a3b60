// SPDX-License-Identifier: Apache-2.0
//
// Constant pages: all rows null, or all valid rows equal. Spec: 11-encodings.md §6.
#include <arrow/array.h>

#include <algorithm>
#include <cstring>

#include "pilum/encoding/block.h"
#include "pilum/file/page_reader.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace enc = lance::encodings21;

namespace {

class ConstantPage final : public PageReader {
 public:
  ConstantPage(PageDescription page, enc::ConstantLayout layout, LeafType type, size_t num_layers,
               arrow::MemoryPool* pool)
      : PageReader(std::move(page), std::move(type)),
        layout_(std::move(layout)),
        num_layers_(num_layers),
        pool_(pool) {}

  arrow::Status Prepare();

  std::vector<ByteRange> InitRanges() const override { return page_.buffers; }
  arrow::Status Init(Buffers buffers) override;
  void Plan(std::span<const RowRange>, std::vector<ByteRange>*) const override {}
  arrow::Status Decode(std::span<const RowRange> rows, Buffers buffers, ColumnBuilder* out) const override;
  arrow::Status DecodeNested(std::span<const RowRange> rows, Buffers buffers,
                             NestedPiece* out) const override;

 private:
  arrow::Status InitLevels(std::span<const uint8_t> repetition, std::span<const uint8_t> definition);
  arrow::Status InitRows();
  arrow::Status AppendValues(int64_t n, ColumnBuilder* out) const;
  arrow::Status InitScalar(std::span<const uint8_t> values);
  arrow::Status AppendScalar(int64_t n, ColumnBuilder* out) const;

  const enc::ConstantLayout layout_;
  const size_t num_layers_;  // of the column
  arrow::MemoryPool* const pool_;
  bool nullable_ = false;
  bool has_scalar_ = false;
  Levels levels_;                   // no slots: as `nullable_` says, all valid or all null
  std::vector<int64_t> row_slots_;  // with lists: where each row begins, and the end
  std::string scalar_;              // the bytes of the value
};

arrow::Status ConstantPage::Prepare() {
  if (type_.type->id() == arrow::Type::STRUCT && type_.kind == LeafType::Kind::kNull) {
    // A struct without fields has this page at any depth, and is nowhere null.
    if (!page_.buffers.empty()) return arrow::Status::Invalid("values of a struct without fields");
    levels_.layers.assign(num_layers_, enc::REPDEF_ALL_VALID_ITEM);
    return arrow::Status::OK();
  }
  levels_.layers = LayersOf(layout_.layers());
  nullable_ = levels_.layers[0] == enc::REPDEF_NULLABLE_ITEM;
  const size_t n = page_.buffers.size();
  if (n > 3 || (layout_.has_inline_value() && n % 2 == 1)) {
    return arrow::Status::Invalid("a constant page with ", n, " buffers");
  }
  has_scalar_ = layout_.has_inline_value() || n % 2 == 1;
  if (num_layers_ > 1 && n < 2 && (levels_.num_lists() > 0 || !has_scalar_)) {
    return arrow::Status::Invalid("a constant page of a nested column without levels");
  }
  if (has_scalar_ && (type_.kind == LeafType::Kind::kDictionary || type_.is_packed())) {
    return arrow::Status::Invalid("a constant in a column of ", type_.type->ToString());
  }
  return arrow::Status::OK();
}

arrow::Status ConstantPage::Init(Buffers buffers) {
  const size_t scalar_buffers = buffers.size() % 2;
  if (buffers.size() >= 2) {
    ARROW_RETURN_NOT_OK(Locate(InitLevels(buffers[scalar_buffers], buffers[scalar_buffers + 1]),
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
    return Locate(InitScalar(buffers[0]), page_.buffers[0].offset);
  }
  return arrow::Status::OK();
}

/// The levels of one kind: raw, or a block of `n`.
arrow::Status ReadLevels(const enc::CompressiveEncoding* encoding, uint64_t n, std::span<const uint8_t> bytes,
                         arrow::MemoryPool* pool, std::vector<uint16_t>* levels) {
  if (bytes.empty()) return arrow::Status::OK();
  if (encoding == nullptr) {
    if (bytes.size() % 2 != 0) return arrow::Status::Invalid("half a level");
    levels->resize(bytes.size() / 2);
    std::memcpy(levels->data(), bytes.data(), bytes.size());
    return arrow::Status::OK();
  }
  if (n / 4096 / 1024 > bytes.size()) {
    return arrow::Status::Invalid("too few bytes for ", n, " levels");
  }
  levels->resize(static_cast<size_t>(n));
  return DecodeFixedBlock(*encoding, bytes, static_cast<int64_t>(n), 16,
                          reinterpret_cast<uint8_t*>(levels->data()), pool);
}

arrow::Status ConstantPage::InitLevels(std::span<const uint8_t> repetition,
                                       std::span<const uint8_t> definition) {
  ARROW_RETURN_NOT_OK(ReadLevels(layout_.has_rep_compression() ? &layout_.rep_compression() : nullptr,
                                 layout_.num_rep_values(), repetition, pool_, &levels_.repetition));
  ARROW_RETURN_NOT_OK(ReadLevels(layout_.has_def_compression() ? &layout_.def_compression() : nullptr,
                                 layout_.num_def_values(), definition, pool_, &levels_.definition));
  if (levels_.repetition.empty() != (levels_.num_lists() == 0)) {
    return arrow::Status::Invalid("repetition levels without lists, or the reverse");
  }
  const size_t n = std::max(levels_.repetition.size(), levels_.definition.size());
  if ((!levels_.repetition.empty() && levels_.repetition.size() != n) ||
      (!levels_.definition.empty() && levels_.definition.size() != n)) {
    return arrow::Status::Invalid(levels_.repetition.size(), " repetition and ", levels_.definition.size(),
                                  " definition levels");
  }
  levels_.num_slots = static_cast<int64_t>(n);
  return InitRows();
}

arrow::Status ConstantPage::InitRows() {
  if (levels_.repetition.empty()) {
    if (levels_.num_slots == page_.num_rows || levels_.num_slots == 0) return arrow::Status::OK();
    return arrow::Status::Invalid(levels_.num_slots, " levels for ", page_.num_rows, " rows");
  }
  const int num_lists = levels_.num_lists();
  row_slots_.clear();
  for (int64_t slot = 0; slot < levels_.num_slots; ++slot) {
    if (levels_.Repetition(slot) == num_lists) row_slots_.push_back(slot);
  }
  if (static_cast<int64_t>(row_slots_.size()) != page_.num_rows || levels_.Repetition(0) != num_lists) {
    return arrow::Status::Invalid("levels of ", row_slots_.size(), " rows where ", page_.num_rows,
                                  " were expected");
  }
  row_slots_.push_back(levels_.num_slots);
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

/// `n` times the scalar, or anything: nulls.
arrow::Status ConstantPage::AppendValues(int64_t n, ColumnBuilder* out) const {
  for (size_t level = 0; level < type_.dims.size(); ++level) {
    ARROW_RETURN_NOT_OK(out->item_validity(level).Append(false, n * type_.ItemsThrough(level)));
  }
  return has_scalar_ ? AppendScalar(n, out) : out->AppendZeros(n);
}

arrow::Status ConstantPage::Decode(std::span<const RowRange> rows, Buffers, ColumnBuilder* out) const {
  for (const RowRange& range : rows) {
    if (levels_.definition.empty()) {
      ARROW_RETURN_NOT_OK(out->validity().Append(has_scalar_ || !nullable_, range.size()));
    } else {
      ARROW_RETURN_NOT_OK(
          out->validity().AppendLevels(levels_.definition.data() + range.begin, range.size()));
    }
    ARROW_RETURN_NOT_OK(AppendValues(range.size(), out));
  }
  return arrow::Status::OK();
}

arrow::Status ConstantPage::DecodeNested(std::span<const RowRange> rows, Buffers, NestedPiece* out) const {
  Levels& levels = out->levels;
  levels.layers = levels_.layers;
  const uint16_t max_visible = levels_.max_visible();
  int64_t values = 0;
  for (const RowRange& range : rows) {
    const bool lists = !row_slots_.empty();
    const int64_t begin = lists ? row_slots_[static_cast<size_t>(range.begin)] : range.begin;
    const int64_t end = lists ? row_slots_[static_cast<size_t>(range.end)] : range.end;
    for (int64_t slot = begin; slot < end; ++slot) values += levels_.Definition(slot) <= max_visible;
    levels.AppendSlots(levels_, begin, end);
  }
  ARROW_ASSIGN_OR_RAISE(auto builder, ColumnBuilder::Make(type_, values, pool_));
  ARROW_RETURN_NOT_OK(AppendValues(values, &builder));
  ARROW_RETURN_NOT_OK(builder.validity().Append(true, values));
  ARROW_ASSIGN_OR_RAISE(out->values, builder.Finish());
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<std::unique_ptr<PageReader>> MakeConstantPage(PageDescription page,
                                                            const enc::ConstantLayout& layout,
                                                            const LeafType& type, size_t num_layers,
                                                            arrow::MemoryPool* pool) {
  auto reader = std::make_unique<ConstantPage>(std::move(page), layout, type, num_layers, pool);
  ARROW_RETURN_NOT_OK(reader->Prepare());
  return reader;
}

}  // namespace pilum
