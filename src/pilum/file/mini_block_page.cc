// SPDX-License-Identifier: Apache-2.0
//
// Mini-block pages: narrow values in chunks of a few KiB, each with its levels. Spec: 11-encodings.md §4.
#include <arrow/util/bit_util.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "pilum/encoding/block.h"
#include "pilum/encoding/value_decoder.h"
#include "pilum/file/page_dictionary.h"
#include "pilum/file/page_reader.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace enc = lance::encodings21;

namespace {

constexpr int64_t Pad8(int64_t n) { return (n + 7) / 8 * 8; }

/// The parts of one chunk.
struct Chunk {
  int64_t num_levels = 0;
  std::span<const uint8_t> definition;
  ChunkBuffers values;
};

class MiniBlockPage final : public PageReader {
 public:
  MiniBlockPage(PageDescription page, enc::MiniBlockLayout layout, LeafType type, arrow::MemoryPool* pool)
      : PageReader(std::move(page), std::move(type)), layout_(std::move(layout)), pool_(pool) {}

  arrow::Status Prepare();  // checks the layout; first of all

  std::vector<ByteRange> InitRanges() const override {
    std::vector<ByteRange> ranges{page_.buffers[0]};
    if (layout_.has_dictionary()) ranges.push_back(page_.buffers[2]);
    return ranges;
  }
  arrow::Status Init(Buffers buffers) override;
  void Plan(std::span<const RowRange> rows, std::vector<ByteRange>* bytes) const override;
  arrow::Status Decode(std::span<const RowRange> rows, Buffers buffers, ColumnBuilder* out) const override;

 private:
  arrow::Status InitDictionary(const arrow::Buffer& block);
  size_t ChunkOf(int64_t row) const {
    return static_cast<size_t>(std::upper_bound(first_rows_.begin(), first_rows_.end(), row) -
                               first_rows_.begin()) -
           1;
  }
  arrow::Result<Chunk> Parse(std::span<const uint8_t> bytes) const;
  /// Rows [begin, end) of chunk `index`, relative to it.
  arrow::Status DecodeChunk(std::span<const uint8_t> bytes, size_t index, int64_t begin, int64_t end,
                            ColumnBuilder* out) const;

  const enc::MiniBlockLayout layout_;
  arrow::MemoryPool* const pool_;
  bool nullable_ = false;
  std::unique_ptr<ValueDecoder> decoder_;
  std::optional<PageDictionary> dictionary_;
  LeafType index_type_;  // of the stored values of a page with a dictionary
  // One entry per chunk and one behind the last.
  std::vector<int64_t> first_rows_;
  std::vector<int64_t> offsets_;
};

arrow::Status MiniBlockPage::Prepare() {
  ARROW_ASSIGN_OR_RAISE(nullable_, HasNullableItem(layout_.layers()));
  if (layout_.has_rep_compression() || layout_.repetition_index_depth() != 0) {
    return arrow::Status::Invalid("repetition levels in a page without lists");
  }
  const size_t wanted = layout_.has_dictionary() ? 3 : 2;
  if (page_.buffers.size() < wanted) {
    return arrow::Status::Invalid("a mini-block page with ", page_.buffers.size(), " buffers");
  }
  const LeafType* stored = &type_;
  if (layout_.has_dictionary()) {
    ARROW_ASSIGN_OR_RAISE(index_type_, PageDictionary::IndexType(layout_.value_compression()));
    stored = &index_type_;
  } else if (type_.kind == LeafType::Kind::kDictionary) {
    return arrow::Status::Invalid("a page without a dictionary in a column of ", type_.type->ToString());
  }
  ARROW_ASSIGN_OR_RAISE(decoder_, ValueDecoder::Make(layout_.value_compression(), *stored, pool_));
  if (layout_.num_buffers() != decoder_->num_buffers()) {
    return arrow::Status::Invalid("a page of ", layout_.num_buffers(),
                                  " buffers per chunk, its encoding has ", decoder_->num_buffers());
  }
  if (layout_.num_items() != static_cast<uint64_t>(page_.num_rows)) {
    return arrow::Status::Invalid("a page of ", page_.num_rows, " rows with ", layout_.num_items(),
                                  " values");
  }
  return arrow::Status::OK();
}

arrow::Status MiniBlockPage::Init(Buffers buffers) {
  const auto words = AsSpan(*buffers[0]);
  const size_t width = layout_.has_large_chunk() ? 4 : 2;
  if (words.size() % width != 0) return Corrupt(page_.buffers[0].offset, "half a chunk word");
  const size_t n = words.size() / width;
  first_rows_.reserve(n + 1);
  offsets_.reserve(n + 1);
  int64_t row = 0, offset = 0;
  for (size_t i = 0; i < n; ++i) {
    const uint32_t word = width == 4 ? LoadLE<uint32_t>(&words[4 * i]) : LoadLE<uint16_t>(&words[2 * i]);
    first_rows_.push_back(row);
    offsets_.push_back(offset);
    const int log = static_cast<int>(word & 15);
    const int64_t rest = page_.num_rows - row;
    const int64_t values = i + 1 < n ? int64_t{1} << log : rest;
    if (rest <= 0 || values > rest || (i + 1 < n && log == 0) ||
        (i + 1 == n && log != 0 && values != 1LL << log)) {
      return Corrupt(page_.buffers[0].offset + static_cast<int64_t>(i * width),
                     "the chunks do not add up to the rows of their page");
    }
    row += values;
    offset += (int64_t{word >> 4} + 1) * 8;
  }
  first_rows_.push_back(row);
  offsets_.push_back(offset);
  if (row != page_.num_rows || offset > page_.buffers[1].length) {
    return Corrupt(page_.buffers[0].offset, "the chunk table does not fit the page");
  }
  return layout_.has_dictionary() ? InitDictionary(*buffers[1]) : arrow::Status::OK();
}

arrow::Status MiniBlockPage::InitDictionary(const arrow::Buffer& block) {
  auto dictionary = PageDictionary::Decode(layout_.dictionary(), AsSpan(block),
                                           layout_.num_dictionary_items(), type_, pool_);
  if (!dictionary.ok()) return Locate(dictionary.status(), page_.buffers[2].offset);
  dictionary_ = *std::move(dictionary);
  return arrow::Status::OK();
}

void MiniBlockPage::Plan(std::span<const RowRange> rows, std::vector<ByteRange>* bytes) const {
  for (const RowRange& range : rows) {
    const int64_t begin = offsets_[ChunkOf(range.begin)], end = offsets_[ChunkOf(range.end - 1) + 1];
    bytes->push_back({page_.buffers[1].offset + begin, end - begin});
  }
}

arrow::Status MiniBlockPage::Decode(std::span<const RowRange> rows, Buffers buffers,
                                    ColumnBuilder* out) const {
  for (size_t i = 0; i < rows.size(); ++i) {
    auto bytes = AsSpan(*buffers[i]);
    int64_t row = rows[i].begin;
    for (size_t chunk = ChunkOf(row); row < rows[i].end; ++chunk) {
      const size_t size = static_cast<size_t>(offsets_[chunk + 1] - offsets_[chunk]);
      const int64_t end = std::min(rows[i].end, first_rows_[chunk + 1]);
      const auto status =
          DecodeChunk(bytes.first(size), chunk, row - first_rows_[chunk], end - first_rows_[chunk], out);
      if (!status.ok()) return Locate(status, page_.buffers[1].offset + offsets_[chunk]);
      bytes = bytes.subspan(size);
      row = end;
    }
  }
  return arrow::Status::OK();
}

arrow::Result<Chunk> MiniBlockPage::Parse(std::span<const uint8_t> bytes) const {
  LittleEndianCursor cursor(bytes);
  Chunk chunk;
  chunk.num_levels = cursor.U16();
  const bool has_definition = layout_.has_def_compression();
  const int64_t definition_bytes = has_definition ? cursor.U16() : 0;
  const size_t n = decoder_->num_buffers();
  std::array<int64_t, 16> sizes;
  if (n > sizes.size()) return arrow::Status::NotImplemented("chunks of ", n, " buffers");
  for (size_t i = 0; i < n; ++i) sizes[i] = layout_.has_large_chunk() ? cursor.U32() : cursor.U16();
  int64_t at = Pad8(static_cast<int64_t>(cursor.position()));
  const auto take = [&](int64_t size) -> arrow::Result<std::span<const uint8_t>> {
    if (!cursor.ok() || at > static_cast<int64_t>(bytes.size()) ||
        size > static_cast<int64_t>(bytes.size()) - at) {
      return arrow::Status::Invalid("a chunk of ", bytes.size(), " bytes with a buffer of ", size,
                                    " bytes at ", at);
    }
    const auto part = bytes.subspan(static_cast<size_t>(at), static_cast<size_t>(size));
    at = Pad8(at + size);
    return part;
  };
  if (has_definition) {
    ARROW_ASSIGN_OR_RAISE(chunk.definition, take(definition_bytes));
  }
  chunk.values.resize(n);
  for (size_t i = 0; i < n; ++i) {
    ARROW_ASSIGN_OR_RAISE(chunk.values[i], take(sizes[i]));
  }
  return chunk;
}

arrow::Status MiniBlockPage::DecodeChunk(std::span<const uint8_t> bytes, size_t index, int64_t begin,
                                         int64_t end, ColumnBuilder* out) const {
  ARROW_ASSIGN_OR_RAISE(const Chunk chunk, Parse(bytes));
  const int64_t n = first_rows_[index + 1] - first_rows_[index], count = end - begin;
  std::vector<uint16_t> levels;
  if (layout_.has_def_compression()) {
    if (chunk.num_levels != n) return arrow::Status::Invalid(chunk.num_levels, " levels for ", n, " values");
    levels.resize(static_cast<size_t>(count));
    ARROW_RETURN_NOT_OK(
        DecodeLevels(layout_.def_compression(), chunk.definition, n, begin, count, levels.data(), pool_));
    if (!nullable_) std::fill(levels.begin(), levels.end(), uint16_t{0});
    ARROW_RETURN_NOT_OK(out->validity().AppendLevels(levels.data(), count));
  } else {
    ARROW_RETURN_NOT_OK(out->validity().Append(true, count));
  }
  if (!dictionary_) return decoder_->Append(chunk.values, n, begin, count, out);
  ARROW_ASSIGN_OR_RAISE(auto indices, ColumnBuilder::Make(index_type_, count, pool_));
  ARROW_RETURN_NOT_OK(decoder_->Append(chunk.values, n, begin, count, &indices));
  ARROW_RETURN_NOT_OK(indices.validity().Append(true, count));
  ARROW_ASSIGN_OR_RAISE(const auto data, indices.Finish());
  return dictionary_->Gather(*data, levels.empty() ? nullptr : levels.data(), out);
}

}  // namespace

arrow::Result<std::unique_ptr<PageReader>> MakeMiniBlockPage(PageDescription page,
                                                             const enc::MiniBlockLayout& layout,
                                                             const LeafType& type, arrow::MemoryPool* pool) {
  auto reader = std::make_unique<MiniBlockPage>(std::move(page), layout, type, pool);
  ARROW_RETURN_NOT_OK(reader->Prepare());
  return reader;
}

}  // namespace pilum
