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

/// Rows [begin, end) of a chunk.
struct ChunkRows {
  size_t chunk;
  int64_t begin;
  int64_t end;
  int64_t size() const { return end - begin; }
};

/// Cuts ascending ranges of rows where chunks end.
class ChunkRowsCursor {
 public:
  /// @param chunks, rows outlive the cursor.
  ChunkRowsCursor(const ChunkTable& chunks, std::span<const RowRange> rows) : chunks_(chunks), rows_(rows) {
    if (!rows.empty()) row_ = rows[0].begin;
  }

  /// The next rows; none behind the last.
  std::optional<ChunkRows> Next() {
    if (rows_.empty()) return std::nullopt;
    chunk_ = FindChunk(chunks_.first_values, row_, chunk_);
    const int64_t first = chunks_.first_values[chunk_];
    const ChunkRows result{chunk_, row_ - first,
                           std::min(rows_[0].end, chunks_.first_values[chunk_ + 1]) - first};
    row_ = first + result.end;
    if (row_ == rows_[0].end) {
      rows_ = rows_.subspan(1);
      if (!rows_.empty()) row_ = rows_[0].begin;
    }
    return result;
  }

 private:
  const ChunkTable& chunks_;
  std::span<const RowRange> rows_;  // not all of the first is done
  int64_t row_ = 0;                 // the next
  size_t chunk_ = 0;                // of the row before
};

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
  /// Where chunk `i` is in the file.
  int64_t OffsetOf(size_t i) const { return page_.buffers[1].offset + chunks_.offsets[i]; }
  /// The bytes of the buffer of a chunk that has no other and no levels.
  int64_t BufferBytes(size_t chunk) const {
    return chunks_.NumBytes(chunk) - MiniBlockChunk::kOnlyBufferOffset;
  }
  /// The part of that buffer that is enough for `rows`; none: they take the whole chunk.
  std::optional<ValueDecoder::Part> PartOf(const ChunkRows& rows) const {
    if (layout_.has_def_compression()) return std::nullopt;
    return values_.PartOf(BufferBytes(rows.chunk), chunks_.NumValues(rows.chunk), rows.begin, rows.size());
  }
  arrow::Status DecodePart(std::span<const uint8_t> part, const ChunkRows& rows, ColumnBuilder* out) const;
  arrow::Status DecodeRows(const MiniBlockChunk& chunk, const ChunkRows& rows, ColumnBuilder* out) const;

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

// A buffer per part, and one per chunk that is read whole.
void MiniBlockPage::Plan(std::span<const RowRange> rows, std::vector<ByteRange>* bytes) const {
  ChunkRowsCursor cursor(chunks_, rows);
  size_t whole = chunks_.num_chunks();  // the last of those
  while (const auto next = cursor.Next()) {
    if (const auto part = PartOf(*next)) {
      bytes->push_back(
          {OffsetOf(next->chunk) + MiniBlockChunk::kOnlyBufferOffset + part->offset, part->length});
    } else if (next->chunk != whole) {
      whole = next->chunk;
      bytes->push_back({OffsetOf(whole), chunks_.NumBytes(whole)});
    }
  }
}

arrow::Status MiniBlockPage::Decode(std::span<const RowRange> rows, Buffers buffers,
                                    ColumnBuilder* out) const {
  ChunkRowsCursor cursor(chunks_, rows);
  size_t whole = chunks_.num_chunks(), next_buffer = 0;
  MiniBlockChunk chunk;
  while (const auto next = cursor.Next()) {
    arrow::Status status;
    if (PartOf(*next)) {
      status = DecodePart(buffers[next_buffer++], *next, out);
    } else {
      if (next->chunk != whole) {
        whole = next->chunk;
        status = MiniBlockChunk::Parse(layout_, values_.num_buffers(), buffers[next_buffer++]).Value(&chunk);
      }
      if (status.ok()) status = DecodeRows(chunk, *next, out);
    }
    if (!status.ok()) return Locate(status, OffsetOf(next->chunk));
  }
  return arrow::Status::OK();
}

arrow::Status MiniBlockPage::DecodePart(std::span<const uint8_t> part, const ChunkRows& rows,
                                        ColumnBuilder* out) const {
  ARROW_RETURN_NOT_OK(out->validity().Append(true, rows.size()));
  return values_.AppendPart(part, BufferBytes(rows.chunk), rows.begin, rows.size(), out);
}

arrow::Status MiniBlockPage::DecodeRows(const MiniBlockChunk& chunk, const ChunkRows& rows,
                                        ColumnBuilder* out) const {
  const int64_t n = chunks_.NumValues(rows.chunk), count = rows.size();
  if (!layout_.has_def_compression()) {
    ARROW_RETURN_NOT_OK(out->validity().Append(true, count));
    return values_.Append(chunk.values, n, rows.begin, count, nullptr, out);
  }
  if (chunk.num_levels != n) return arrow::Status::Invalid(chunk.num_levels, " levels for ", n, " values");
  std::vector<uint16_t> levels(static_cast<size_t>(count));
  ARROW_RETURN_NOT_OK(
      DecodeLevels(layout_.def_compression(), chunk.definition, n, rows.begin, count, levels.data(), pool_));
  if (!nullable_) std::fill(levels.begin(), levels.end(), uint16_t{0});
  ARROW_RETURN_NOT_OK(out->validity().AppendLevels(levels.data(), count));
  return values_.Append(chunk.values, n, rows.begin, count, levels.data(), out);
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
