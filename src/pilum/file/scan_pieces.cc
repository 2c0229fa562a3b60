// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/scan_pieces.h"

#include <arrow/array/data.h>
#include <arrow/util/byte_size.h>

#include <algorithm>

namespace pilum {

namespace {

constexpr int64_t kMaxRows = int64_t{1} << 18;
constexpr int64_t kMaxVariableRows = int64_t{1} << 16;

int64_t BytesOf(const ScanPieces& pieces) {
  int64_t bytes = 0;
  for (const auto& piece : pieces) bytes += arrow::util::TotalBufferSize(*piece);
  return bytes;
}

constexpr int64_t kEnoughBits = 8 * kScanPartBytes;

/// Bits of a decoded value, at most kEnoughBits, as far as the type tells; `is_variable` if values differ.
int64_t DecodedBits(const arrow::DataType& type, bool* is_variable) {
  if (type.id() == arrow::Type::FIXED_SIZE_LIST) {
    const auto& list = static_cast<const arrow::FixedSizeListType&>(type);
    const int64_t bits = DecodedBits(*list.value_type(), is_variable);
    return std::min(bits * list.list_size(), kEnoughBits);
  }
  if (type.id() == arrow::Type::STRUCT) {
    int64_t bits = 0;
    for (const auto& field : type.fields()) bits += DecodedBits(*field->type(), is_variable);
    return std::min(bits, kEnoughBits);
  }
  const auto* fixed = dynamic_cast<const arrow::FixedWidthType*>(&type);
  if (fixed == nullptr) *is_variable |= type.id() != arrow::Type::NA;
  return fixed == nullptr ? 0 : fixed->bit_width();
}

}  // namespace

int64_t ScanPartRows(const arrow::Schema& schema, int64_t row_bytes) {
  bool is_variable = false;
  int64_t bits = 0;
  for (const auto& field : schema.fields()) bits += DecodedBits(*field->type(), &is_variable);
  const int64_t bytes = std::max(row_bytes, bits / 8) + 1;
  return std::clamp(kScanPartBytes / bytes, int64_t{1}, is_variable ? kMaxVariableRows : kMaxRows);
}

arrow::Result<ScanPieces> ReadInPieces(
    int64_t begin, int64_t end,
    const std::function<arrow::Result<std::shared_ptr<arrow::RecordBatch>>(int64_t, int64_t)>& read) {
  auto all = read(begin, end);
  if (all.ok()) return ScanPieces{*std::move(all)};
  if (!all.status().IsCapacityError() || end - begin < 2) return all.status();
  const int64_t middle = begin + (end - begin) / 2;
  ARROW_ASSIGN_OR_RAISE(auto pieces, ReadInPieces(begin, middle, read));
  ARROW_ASSIGN_OR_RAISE(auto rest, ReadInPieces(middle, end, read));
  pieces.insert(pieces.end(), std::make_move_iterator(rest.begin()), std::make_move_iterator(rest.end()));
  return pieces;
}

ScanParts::ScanParts(size_t num_parts, std::function<arrow::Result<ScanPieces>(size_t)> read)
    : parts_(num_parts, std::move(read), &BytesOf, kScanAheadBytes) {}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> ScanParts::Next() {
  for (;;) {
    while (next_ < pieces_.size()) {
      auto piece = std::move(pieces_[next_++]);
      if (piece->num_rows() > 0) return piece;
    }
    ARROW_ASSIGN_OR_RAISE(auto part, parts_.Next());
    if (!part) return nullptr;
    pieces_ = *std::move(part);
    next_ = 0;
  }
}

}  // namespace pilum
