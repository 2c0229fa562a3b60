// SPDX-License-Identifier: Apache-2.0
//
// Mini-block pages of nested columns: rows have any number of values and may span chunks, which the
// repetition index tells. Spec: 11-encodings.md §4.3 to §4.5.
#include <algorithm>
#include <optional>

#include "pilum/encoding/block.h"
#include "pilum/encoding/level_counts.h"
#include "pilum/file/mini_block_chunk.h"
#include "pilum/file/mini_block_values.h"
#include "pilum/file/page_reader.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace enc = lance::encodings21;

namespace {

class NestedMiniBlockPage final : public PageReader {
 public:
  NestedMiniBlockPage(PageDescription page, enc::MiniBlockLayout layout, LeafType type,
                      MiniBlockValues values, arrow::MemoryPool* pool)
      : PageReader(std::move(page), std::move(type)),
        layout_(std::move(layout)),
        pool_(pool),
        layers_(LayersOf(layout_.layers())),
        values_(std::move(values)) {}

  std::vector<ByteRange> InitRanges() const override {
    std::vector<ByteRange> ranges{page_.buffers[0]};
    if (layout_.has_dictionary()) ranges.push_back(page_.buffers[2]);
    if (has_lists()) ranges.push_back(page_.buffers.back());
    return ranges;
  }
  arrow::Status Init(Buffers buffers) override;
  void Plan(std::span<const RowRange> rows, std::vector<ByteRange>* bytes) const override;
  arrow::Status DecodeNested(std::span<const RowRange> rows, Buffers buffers,
                             NestedPiece* out) const override;

 private:
  /// A part of a chunk whose levels were decoded: these values of it are wanted.
  struct Part {
    ChunkBuffers values;
    int64_t num_values;  // of the chunk
    int64_t begin;
    int64_t count;
    size_t chunk;
  };

  struct ChunkRange {
    size_t first = 0;
    size_t last = 0;
  };

  /// The chunk whose levels were decoded last: the next rows may lie in it, too.
  struct ChunkAtHand {
    std::optional<size_t> chunk;
    Levels levels;  // of all its slots
    int64_t num_rows = 0;
  };

  bool has_lists() const { return layout_.has_rep_compression(); }
  arrow::Status InitIndex(std::span<const uint8_t> index);
  /// The chunks of the first and of the last slot of `rows`, which are behind rows that end in chunk `from`.
  ChunkRange ChunksOf(const RowRange& rows, size_t from) const {
    size_t first = 0;
    if (rows.begin > 0) {
      first = FindChunk(rows_finished_, rows.begin - 1, from);
      if (rows_finished_[first + 1] == rows.begin && !leftover_[first]) ++first;
    }
    return {first, FindChunk(rows_finished_, rows.end - 1, first)};
  }
  arrow::Result<MiniBlockChunk> TakeChunk(size_t i, std::span<const uint8_t>* bytes) const;
  /// Rows that are one slot each: no more levels than theirs are decoded.
  arrow::Status DecodeSlots(RowRange rows, ChunkRange chunks, std::span<const uint8_t> bytes,
                            ChunkAtHand* at_hand, Levels* levels, std::vector<Part>* parts) const;
  /// The definition levels of `count` slots of chunk `i` from `begin` on.
  arrow::Status AppendDefinition(const MiniBlockChunk& chunk, size_t i, int64_t begin, int64_t count,
                                 ChunkAtHand* at_hand, std::vector<uint16_t>* out) const;
  arrow::Status DecodeLists(RowRange rows, ChunkRange chunks, std::span<const uint8_t> bytes,
                            ChunkAtHand* at_hand, Levels* levels, std::vector<Part>* parts) const;
  arrow::Status DecodeLevelsOf(const MiniBlockChunk& chunk, size_t i, ChunkAtHand* at_hand) const;
  arrow::Status AppendValues(const std::vector<Part>& parts, const Levels& levels, ColumnBuilder* out) const;

  const enc::MiniBlockLayout layout_;
  arrow::MemoryPool* const pool_;
  const std::vector<enc::RepDefLayer> layers_;
  MiniBlockValues values_;
  ChunkTable chunks_;
  std::vector<int64_t> rows_finished_;  // before each chunk, and in all
  std::vector<bool> leftover_;          // whether a row goes on behind the chunk
};

arrow::Status NestedMiniBlockPage::Init(Buffers buffers) {
  auto chunks = ChunkTable::Parse(buffers[0], layout_.has_large_chunk(),
                                  static_cast<int64_t>(layout_.num_items()), page_.buffers[1].length);
  if (!chunks.ok()) return Locate(chunks.status(), page_.buffers[0].offset);
  chunks_ = *std::move(chunks);
  if (layout_.has_dictionary()) {
    ARROW_RETURN_NOT_OK(Locate(values_.InitDictionary(layout_, buffers[1]), page_.buffers[2].offset));
  }
  if (has_lists()) return InitIndex(buffers.back());
  rows_finished_ = chunks_.first_values;
  leftover_.resize(chunks_.num_chunks(), false);
  return arrow::Status::OK();
}

arrow::Status NestedMiniBlockPage::InitIndex(std::span<const uint8_t> index) {
  const size_t stride = 8 * (static_cast<size_t>(layout_.repetition_index_depth()) + 1);
  if (index.size() != stride * chunks_.num_chunks()) {
    return Corrupt(page_.buffers.back().offset, "a repetition index of " + std::to_string(index.size()) +
                                                    " bytes for " + std::to_string(chunks_.num_chunks()) +
                                                    " chunks");
  }
  rows_finished_.clear();
  leftover_.clear();
  int64_t rows = 0;
  for (size_t chunk = 0; chunk < chunks_.num_chunks(); ++chunk) {
    rows_finished_.push_back(rows);
    const uint64_t finished = LoadLE<uint64_t>(&index[chunk * stride]);
    leftover_.push_back(LoadLE<uint64_t>(&index[chunk * stride + 8]) != 0);
    if (finished > static_cast<uint64_t>(page_.num_rows - rows)) {
      return Corrupt(page_.buffers.back().offset + static_cast<int64_t>(chunk * stride),
                     "more rows in chunks than in their page");
    }
    rows += static_cast<int64_t>(finished);
  }
  rows_finished_.push_back(rows);
  if (rows != page_.num_rows || leftover_.back()) {
    return Corrupt(page_.buffers.back().offset, "the chunks do not add up to the rows of their page");
  }
  return arrow::Status::OK();
}

void NestedMiniBlockPage::Plan(std::span<const RowRange> rows, std::vector<ByteRange>* bytes) const {
  ChunkRange chunks;
  for (const RowRange& range : rows) {
    chunks = ChunksOf(range, chunks.last);
    const int64_t begin = chunks_.offsets[chunks.first];
    bytes->push_back({page_.buffers[1].offset + begin, chunks_.offsets[chunks.last + 1] - begin});
  }
}

// ---- slots of a chunk ----

std::span<const uint16_t> Between(const std::vector<uint16_t>& levels, int64_t begin, int64_t end) {
  return std::span(levels).subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
}

/// How many rows begin in [begin, end).
int64_t CountRows(const Levels& levels, int64_t begin, int64_t end) {
  return CountEqual(Between(levels.repetition, begin, end), static_cast<uint16_t>(levels.num_lists()));
}

/// How many slots of [begin, end) are values.
int64_t CountValues(const Levels& levels, int64_t begin, int64_t end) {
  if (levels.definition.empty()) return end - begin;
  return CountAtMost(Between(levels.definition, begin, end), levels.max_visible());
}

/// Where the `nth` row that begins at `from` or behind does, from 1 on; at `from` for those before.
int64_t SlotOfRow(const Levels& levels, int64_t from, int64_t nth) {
  if (nth <= 0) return from;
  const auto rest = Between(levels.repetition, from, levels.num_slots);
  return from + FindNth(rest, static_cast<uint16_t>(levels.num_lists()), nth);
}

arrow::Result<MiniBlockChunk> NestedMiniBlockPage::TakeChunk(size_t i,
                                                             std::span<const uint8_t>* bytes) const {
  const size_t size = static_cast<size_t>(chunks_.NumBytes(i));
  ARROW_ASSIGN_OR_RAISE(auto chunk,
                        MiniBlockChunk::Parse(layout_, values_.num_buffers(), bytes->first(size)));
  *bytes = bytes->subspan(size);
  return chunk;
}

arrow::Status NestedMiniBlockPage::DecodeSlots(RowRange rows, ChunkRange chunks,
                                               std::span<const uint8_t> bytes, ChunkAtHand* at_hand,
                                               Levels* levels, std::vector<Part>* parts) const {
  for (size_t i = chunks.first; i <= chunks.last; ++i) {
    ARROW_ASSIGN_OR_RAISE(auto chunk, TakeChunk(i, &bytes));
    const int64_t first = chunks_.first_values[i], n = chunks_.NumValues(i);
    const int64_t begin = std::max(rows.begin - first, int64_t{0});
    const int64_t count = std::min(rows.end - first, n) - begin;
    levels->num_slots += count;
    parts->push_back({std::move(chunk.values), n, begin, count, i});
    if (!layout_.has_def_compression()) continue;
    if (chunk.num_levels != n) {
      return arrow::Status::Invalid("a chunk of ", n, " values with ", chunk.num_levels, " levels");
    }
    ARROW_RETURN_NOT_OK(AppendDefinition(chunk, i, begin, count, at_hand, &levels->definition));
    const auto added = Between(levels->definition, levels->num_slots - count, levels->num_slots);
    if (CountAtMost(added, levels->max_visible()) != count) {
      return arrow::Status::Invalid("levels above ", levels->max_visible(), ", the highest");
    }
  }
  return arrow::Status::OK();
}

arrow::Status NestedMiniBlockPage::AppendDefinition(const MiniBlockChunk& chunk, size_t i, int64_t begin,
                                                    int64_t count, ChunkAtHand* at_hand,
                                                    std::vector<uint16_t>* out) const {
  const auto& encoding = layout_.def_compression();
  const int64_t n = chunk.num_levels;
  if (encoding.has_flat() || encoding.has_out_of_line_bitpacking() || count == n) {
    out->resize(out->size() + static_cast<size_t>(count));
    return DecodeLevels(encoding, chunk.definition, n, begin, count, out->data() + out->size() - count,
                        pool_);
  }
  std::vector<uint16_t>& all = at_hand->levels.definition;  // runs have to be decoded from the first on
  if (at_hand->chunk != i) {
    at_hand->chunk.reset();
    all.resize(static_cast<size_t>(n));
    ARROW_RETURN_NOT_OK(DecodeLevels(encoding, chunk.definition, n, 0, n, all.data(), pool_));
    at_hand->chunk = i;
  }
  out->insert(out->end(), all.begin() + begin, all.begin() + begin + count);
  return arrow::Status::OK();
}

arrow::Status NestedMiniBlockPage::DecodeLevelsOf(const MiniBlockChunk& chunk, size_t i,
                                                  ChunkAtHand* at_hand) const {
  Levels& levels = at_hand->levels;
  at_hand->chunk.reset();
  const int64_t n = chunk.num_levels;
  const auto decode = [&](const enc::CompressiveEncoding& encoding, std::span<const uint8_t> block,
                          std::vector<uint16_t>* out) {
    out->resize(static_cast<size_t>(n));
    return DecodeLevels(encoding, block, n, 0, n, out->data(), pool_);
  };
  ARROW_RETURN_NOT_OK(decode(layout_.rep_compression(), chunk.repetition, &levels.repetition));
  if (layout_.has_def_compression()) {
    ARROW_RETURN_NOT_OK(decode(layout_.def_compression(), chunk.definition, &levels.definition));
  }
  levels.num_slots = n;
  const int64_t values = CountValues(levels, 0, n);
  if (values != chunks_.NumValues(i)) {
    return arrow::Status::Invalid("a chunk of ", chunks_.NumValues(i), " values with levels for ", values);
  }
  at_hand->num_rows = CountRows(levels, 0, n);
  at_hand->chunk = i;
  return arrow::Status::OK();
}

arrow::Status NestedMiniBlockPage::DecodeLists(RowRange rows, ChunkRange chunks,
                                               std::span<const uint8_t> bytes, ChunkAtHand* at_hand,
                                               Levels* levels, std::vector<Part>* parts) const {
  const auto [first, last] = chunks;
  // The row at hand: one that began before, or the one that the first slot begins.
  const bool goes_on = first > 0 && leftover_[first - 1];
  int64_t row = rows_finished_[first] - (goes_on ? 0 : 1);
  int64_t rows_seen = 0;
  for (size_t i = first; i <= last; ++i) {
    ARROW_ASSIGN_OR_RAISE(auto chunk, TakeChunk(i, &bytes));
    if (at_hand->chunk != i) ARROW_RETURN_NOT_OK(DecodeLevelsOf(chunk, i, at_hand));
    const Levels& all = at_hand->levels;
    Part part{std::move(chunk.values), chunks_.NumValues(i), 0, 0, i};
    const int64_t begin = SlotOfRow(all, 0, rows.begin - row);
    const int64_t end = SlotOfRow(all, begin, rows.end - std::max(row, rows.begin - 1));
    part.begin = CountValues(all, 0, begin);
    part.count = CountValues(all, begin, end);
    rows_seen += CountRows(all, begin, end);
    row += at_hand->num_rows;
    levels->AppendSlots(all, begin, end);
    if (row != rows_finished_[i + 1] - (leftover_[i] ? 0 : 1)) {
      return arrow::Status::Invalid("a chunk that ends in row ", row, " where the repetition index says ",
                                    rows_finished_[i + 1]);
    }
    if (part.count > 0) parts->push_back(std::move(part));
  }
  if (rows_seen != rows.size()) {
    return arrow::Status::Invalid("levels of ", rows_seen, " rows where ", rows.size(), " were expected");
  }
  return arrow::Status::OK();
}

arrow::Status NestedMiniBlockPage::AppendValues(const std::vector<Part>& parts, const Levels& levels,
                                                ColumnBuilder* out) const {
  std::vector<uint16_t> visible(levels.definition.size());  // the levels of the values
  const uint16_t max_visible = levels.max_visible();
  size_t n = 0;
  for (const uint16_t level : levels.definition) {
    visible[n] = level;
    n += level <= max_visible;
  }
  const uint16_t* at = levels.definition.empty() ? nullptr : visible.data();
  for (const Part& part : parts) {
    const auto status = values_.Append(part.values, part.num_values, part.begin, part.count, at, out);
    if (!status.ok()) return Locate(status, page_.buffers[1].offset + chunks_.offsets[part.chunk]);
    if (at != nullptr) at += part.count;
  }
  return arrow::Status::OK();
}

arrow::Status NestedMiniBlockPage::DecodeNested(std::span<const RowRange> rows, Buffers buffers,
                                                NestedPiece* out) const {
  out->levels.layers = layers_;
  ChunkAtHand at_hand;
  at_hand.levels.layers = layers_;
  std::vector<Part> parts;
  parts.reserve(rows.size());
  ChunkRange chunks;
  for (size_t i = 0; i < rows.size(); ++i) {
    chunks = ChunksOf(rows[i], chunks.last);
    const auto status = has_lists()
                            ? DecodeLists(rows[i], chunks, buffers[i], &at_hand, &out->levels, &parts)
                            : DecodeSlots(rows[i], chunks, buffers[i], &at_hand, &out->levels, &parts);
    if (!status.ok()) return Locate(status, page_.buffers[1].offset + chunks_.offsets[chunks.first]);
  }
  int64_t num_values = 0;
  for (const Part& part : parts) num_values += part.count;
  ARROW_ASSIGN_OR_RAISE(auto builder, ColumnBuilder::Make(type_, num_values, pool_));
  ARROW_RETURN_NOT_OK(AppendValues(parts, out->levels, &builder));
  ARROW_RETURN_NOT_OK(builder.validity().Append(true, num_values));
  ARROW_ASSIGN_OR_RAISE(out->values, builder.Finish());
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<std::unique_ptr<PageReader>> MakeNestedMiniBlockPage(PageDescription page,
                                                                   const enc::MiniBlockLayout& layout,
                                                                   const LeafType& type,
                                                                   arrow::MemoryPool* pool) {
  const bool lists = layout.has_rep_compression();
  if (lists != (layout.repetition_index_depth() > 0) || layout.repetition_index_depth() > 64) {
    return arrow::Status::Invalid("repetition levels without a repetition index, or the reverse");
  }
  const auto layers = LayersOf(layout.layers());
  if (lists != std::any_of(layers.begin(), layers.end(), IsListLayer)) {
    return arrow::Status::Invalid("repetition levels without lists, or the reverse");
  }
  if (page.buffers.size() != 2 + static_cast<size_t>(layout.has_dictionary()) + static_cast<size_t>(lists)) {
    return arrow::Status::Invalid("a mini-block page with ", page.buffers.size(), " buffers");
  }
  const uint64_t n = layout.num_items();
  if (n > (uint64_t{1} << 40) || (!lists && n != static_cast<uint64_t>(page.num_rows))) {
    return arrow::Status::Invalid("a page of ", page.num_rows, " rows with ", n, " values");
  }
  ARROW_ASSIGN_OR_RAISE(auto values, MiniBlockValues::Make(layout, type, pool));
  return std::make_unique<NestedMiniBlockPage>(std::move(page), layout, type, std::move(values), pool);
}

}  // namespace pilum
