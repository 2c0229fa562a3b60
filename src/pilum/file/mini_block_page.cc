// SPDX-License-Identifier: Apache-2.0
//
// Mini-block pages of columns that are not nested: a value is a row. Spec: 11-encodings.md §4.
#include <algorithm>
#include <optional>

#include "pilum/encoding/block.h"
#include "pilum/file/mini_block_chunk.h"
#include "pilum/file/mini_block_values.h"
#include "pilum/file/page_reader.h"

namespace pilum {

namespace enc = lance::encodings21;

namespace {

class MiniBlockPage final : public PageReader {
 public:
  MiniBlockPage(PageDescription page, enc::MiniBlockLayout layout, LeafType type, bool nullable,
                MiniBlockValues values, arrow::MemoryPool* pool)
      : PageReader(std::move(page), std::move(type)),
        layout_(std::move(layout)),
        pool_(pool),
        nullable_(nullable),
        values_(std::move(values)) {}

  std::vector<ByteRange> InitRanges() const override {
    std::vector<ByteRange> ranges{page_.buffers[0]};
    if (layout_.has_dictionary()) ranges.push_back(page_.buffers[2]);
    return ranges;
  }
  arrow::Status Init(Buffers buffers) override;
  void Plan(std::span<const RowRange> rows, std::vector<ByteRange>* bytes) const override;
  arrow::Status Decode(std::span<const RowRange> rows, Buffers buffers, ColumnBuilder* out) const override;

 private:
  size_t ChunkOf(int64_t row) const {
    const auto& first = chunks_.first_values;
    return static_cast<size_t>(std::upper_bound(first.begin(), first.end(), row) - first.begin()) - 1;
  }
  /// Rows [begin, end) of a chunk of `n`.
  arrow::Status DecodeChunk(std::span<const uint8_t> bytes, int64_t n, int64_t begin, int64_t end,
                            ColumnBuilder* out) const;

  const enc::MiniBlockLayout layout_;
  arrow::MemoryPool* const pool_;
  const bool nullable_;
  MiniBlockValues values_;
  ChunkTable chunks_;
};

arrow::Status MiniBlockPage::Init(Buffers buffers) {
  auto chunks =
      ChunkTable::Parse(buffers[0], layout_.has_large_chunk(), page_.num_rows, page_.buffers[1].length);
  if (!chunks.ok()) return Locate(chunks.status(), page_.buffers[0].offset);
  chunks_ = *std::move(chunks);
  if (!layout_.has_dictionary()) return arrow::Status::OK();
  return Locate(values_.InitDictionary(layout_, buffers[1]), page_.buffers[2].offset);
}

void MiniBlockPage::Plan(std::span<const RowRange> rows, std::vector<ByteRange>* bytes) const {
  for (const RowRange& range : rows) {
    const int64_t begin = chunks_.offsets[ChunkOf(range.begin)];
    bytes->push_back({page_.buffers[1].offset + begin, chunks_.offsets[ChunkOf(range.end - 1) + 1] - begin});
  }
}

arrow::Status MiniBlockPage::Decode(std::span<const RowRange> rows, Buffers buffers,
                                    ColumnBuilder* out) const {
  for (size_t i = 0; i < rows.size(); ++i) {
    auto bytes = buffers[i];
    int64_t row = rows[i].begin;
    for (size_t chunk = ChunkOf(row); row < rows[i].end; ++chunk) {
      const size_t size = static_cast<size_t>(chunks_.NumBytes(chunk));
      const int64_t first = chunks_.first_values[chunk];
      const int64_t end = std::min(rows[i].end, chunks_.first_values[chunk + 1]);
      const auto status =
          DecodeChunk(bytes.first(size), chunks_.NumValues(chunk), row - first, end - first, out);
      if (!status.ok()) return Locate(status, page_.buffers[1].offset + chunks_.offsets[chunk]);
      bytes = bytes.subspan(size);
      row = end;
    }
  }
  return arrow::Status::OK();
}

arrow::Status MiniBlockPage::DecodeChunk(std::span<const uint8_t> bytes, int64_t n, int64_t begin,
                                         int64_t end, ColumnBuilder* out) const {
  ARROW_ASSIGN_OR_RAISE(const auto chunk, MiniBlockChunk::Parse(layout_, values_.num_buffers(), bytes));
  const int64_t count = end - begin;
  if (!layout_.has_def_compression()) {
    ARROW_RETURN_NOT_OK(out->validity().Append(true, count));
    return values_.Append(chunk.values, n, begin, count, nullptr, out);
  }
  if (chunk.num_levels != n) return arrow::Status::Invalid(chunk.num_levels, " levels for ", n, " values");
  std::vector<uint16_t> levels(static_cast<size_t>(count));
  ARROW_RETURN_NOT_OK(
      DecodeLevels(layout_.def_compression(), chunk.definition, n, begin, count, levels.data(), pool_));
  if (!nullable_) std::fill(levels.begin(), levels.end(), uint16_t{0});
  ARROW_RETURN_NOT_OK(out->validity().AppendLevels(levels.data(), count));
  return values_.Append(chunk.values, n, begin, count, levels.data(), out);
}

}  // namespace

arrow::Result<std::unique_ptr<PageReader>> MakeMiniBlockPage(PageDescription page,
                                                             const enc::MiniBlockLayout& layout,
                                                             const LeafType& type, arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(const bool nullable, HasNullableItem(layout.layers()));
  if (layout.has_rep_compression() || layout.repetition_index_depth() != 0) {
    return arrow::Status::Invalid("repetition levels in a page without lists");
  }
  if (page.buffers.size() < (layout.has_dictionary() ? 3 : 2)) {
    return arrow::Status::Invalid("a mini-block page with ", page.buffers.size(), " buffers");
  }
  if (layout.num_items() != static_cast<uint64_t>(page.num_rows)) {
    return arrow::Status::Invalid("a page of ", page.num_rows, " rows with ", layout.num_items(), " values");
  }
  ARROW_ASSIGN_OR_RAISE(auto values, MiniBlockValues::Make(layout, type, pool));
  return std::make_unique<MiniBlockPage>(std::move(page), layout, type, nullable, std::move(values), pool);
}

}  // namespace pilum
