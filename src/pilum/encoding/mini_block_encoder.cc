// SPDX-License-Identifier: Apache-2.0
//
// Mini-block pages: chunk words, chunks, dictionary, repetition index. Spec: 11-encodings.md §4.
#include <algorithm>
#include <bit>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "pilum/encoding/dictionary_encoder.h"
#include "pilum/encoding/page_encoder.h"
#include "pilum/encoding/value_encoder.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace enc = lance::encodings21;

namespace {

constexpr int64_t kMaxSmallChunk = 32 << 10;  // what 12 bits of 8-byte words can say
constexpr int64_t kMaxLargeChunk = int64_t{1} << 31;
constexpr size_t kMaxChunkLevels = 65535;  // their number, and the bytes of either kind
constexpr char kPadding = '\xFE';
constexpr uint8_t kPaddings[8] = {0xFE, 0xFE, 0xFE, 0xFE, 0xFE, 0xFE, 0xFE, 0xFE};

/// Where the chunks end in slots: behind their last value. Slots without a value that follow it go to the
/// next chunk; the last takes all that are left.
std::vector<int64_t> ChunkEnds(const std::vector<EncodedChunk>& chunks, const Levels& levels) {
  const uint16_t max_visible = levels.max_visible();
  std::vector<int64_t> ends;
  ends.reserve(chunks.size());
  int64_t slot = 0;
  for (const EncodedChunk& chunk : chunks) {
    if (levels.repetition.empty()) {
      slot += chunk.num_values;
    } else {
      for (int64_t left = chunk.num_values; left > 0; ++slot) left -= levels.Definition(slot) <= max_visible;
    }
    ends.push_back(slot);
  }
  ends.back() = levels.num_slots;
  return ends;
}

/// Assembles chunks: header, levels, value buffers, each padded to 8 bytes.
class ChunkWriter {
 public:
  /// @param ends of all chunks, in slots.
  ChunkWriter(const Levels& levels, std::span<const int64_t> ends, PageFormat format)
      : levels_(levels),
        format_(format),
        num_lists_(levels.num_lists()),
        repetition_(levels.repetition, ends, format.v2_2),
        definition_(levels.definition, ends, format.v2_2) {}

  /// The next chunk, whose slots end at `end`.
  arrow::Status Add(const EncodedChunk& chunk, int64_t end);
  /// @param owner of the chunks' bytes.
  EncodedPage Finish(const EncodedValues& values, int64_t num_values, std::shared_ptr<const void> owner);
  std::string TakeRepetitionIndex() { return std::move(index_); }
  bool has_repetition() const { return !levels_.repetition.empty(); }

 private:
  bool has_definition() const { return !levels_.definition.empty(); }
  void AppendIndex(int64_t end);
  static void PadTo8(std::string* bytes) {
    bytes->append(static_cast<size_t>(-static_cast<int64_t>(bytes->size()) & 7), kPadding);
  }

  const Levels& levels_;
  const PageFormat format_;
  const int num_lists_;
  const LevelEncoder repetition_;
  const LevelEncoder definition_;
  int64_t slot_ = 0;  // first of the next chunk
  std::string words_;
  std::shared_ptr<std::deque<std::string>> heads_ = std::make_shared<std::deque<std::string>>();  // of chunks
  PageBuffer data_;
  std::string index_;
};

/// Rows that end in the chunk, and slots behind the last of those ends.
void ChunkWriter::AppendIndex(int64_t end) {
  uint64_t rows = 0, left = 0;
  for (int64_t slot = slot_; slot < end; ++slot) {
    const bool row_ends = slot + 1 == levels_.num_slots || levels_.Repetition(slot + 1) == num_lists_;
    rows += row_ends;
    left = row_ends ? 0 : left + 1;
  }
  AppendLE<uint64_t>(&index_, rows);
  AppendLE<uint64_t>(&index_, left);
}

arrow::Status ChunkWriter::Add(const EncodedChunk& chunk, int64_t end) {
  const int64_t start = data_.size();
  const bool last = end == levels_.num_slots;
  const size_t num_levels = has_repetition() || has_definition() ? static_cast<size_t>(end - slot_) : 0;
  std::string repetition, definition;
  const auto part = [&](const std::vector<uint16_t>& levels) {
    return std::span(levels).subspan(static_cast<size_t>(slot_), num_levels);
  };
  if (has_repetition()) repetition_.Append(part(levels_.repetition), &repetition);
  if (has_definition()) definition_.Append(part(levels_.definition), &definition);
  if (std::max({num_levels, repetition.size(), definition.size()}) > kMaxChunkLevels) {
    return arrow::Status::Invalid("a row with ", num_levels, " levels, more than a chunk can hold");
  }
  std::string& head = heads_->emplace_back();
  AppendLE<uint16_t>(&head, static_cast<uint16_t>(num_levels));
  if (has_repetition()) AppendLE<uint16_t>(&head, static_cast<uint16_t>(repetition.size()));
  if (has_definition()) AppendLE<uint16_t>(&head, static_cast<uint16_t>(definition.size()));
  for (const auto buffer : chunk.buffers) {
    if (format_.v2_2) {
      AppendLE<uint32_t>(&head, static_cast<uint32_t>(buffer.size()));
    } else {
      AppendLE<uint16_t>(&head, static_cast<uint16_t>(buffer.size()));
    }
  }
  PadTo8(&head);
  PadTo8(&head.append(repetition));
  PadTo8(&head.append(definition));
  data_.Append({reinterpret_cast<const uint8_t*>(head.data()), head.size()});
  for (const auto buffer : chunk.buffers) {
    data_.Append(buffer);
    data_.Append(std::span(kPaddings).first(-buffer.size() & 7));
  }
  const int64_t size = data_.size() - start;
  if (size > (format_.v2_2 ? kMaxLargeChunk : kMaxSmallChunk)) {
    return arrow::Status::Invalid("a chunk of ", chunk.num_values, " values takes ", size, " bytes");
  }
  const uint32_t log =
      last ? 0 : static_cast<uint32_t>(std::countr_zero(static_cast<uint64_t>(chunk.num_values)));
  const uint32_t word = static_cast<uint32_t>(size / 8 - 1) << 4 | log;
  if (format_.v2_2) {
    AppendLE<uint32_t>(&words_, word);
  } else {
    AppendLE<uint16_t>(&words_, static_cast<uint16_t>(word));
  }
  if (has_repetition()) AppendIndex(end);
  slot_ = end;
  return arrow::Status::OK();
}

EncodedPage ChunkWriter::Finish(const EncodedValues& values, int64_t num_values,
                                std::shared_ptr<const void> owner) {
  EncodedPage page;
  auto* layout = page.layout.mutable_mini_block_layout();
  if (has_repetition()) *layout->mutable_rep_compression() = repetition_.encoding();
  if (has_definition()) *layout->mutable_def_compression() = definition_.encoding();
  *layout->mutable_value_compression() = values.encoding;
  for (const auto layer : levels_.layers) layout->add_layers(layer);
  layout->set_num_buffers(values.num_buffers);
  layout->set_num_items(static_cast<uint64_t>(num_values));
  layout->set_has_large_chunk(format_.v2_2);
  if (has_repetition()) layout->set_repetition_index_depth(1);
  data_.Hold(std::move(heads_));
  data_.Hold(std::move(owner));
  page.buffers = {arrow::Buffer::FromString(std::move(words_)), std::move(data_)};
  return page;
}

/// @param source what `encoded` has views of.
arrow::Result<EncodedPage> Assemble(EncodedValues encoded, const LeafValues& source,
                                    const EncodedDictionary* dictionary, int64_t num_entries,
                                    const Levels& levels, PageFormat format) {
  struct Owner {
    EncodedValues values;
    std::vector<std::shared_ptr<arrow::Buffer>> source;
  };
  const auto owner = std::make_shared<Owner>(Owner{std::move(encoded), source.holds});
  const EncodedValues& values = owner->values;
  const std::vector<int64_t> ends = ChunkEnds(values.chunks, levels);
  ChunkWriter chunks(levels, ends, format);
  for (size_t i = 0; i < ends.size(); ++i) ARROW_RETURN_NOT_OK(chunks.Add(values.chunks[i], ends[i]));
  EncodedPage page = chunks.Finish(values, source.length, owner);
  if (dictionary != nullptr) {
    auto* layout = page.layout.mutable_mini_block_layout();
    *layout->mutable_dictionary() = dictionary->encoding;
    layout->set_num_dictionary_items(static_cast<uint64_t>(num_entries));
    page.buffers.push_back(arrow::Buffer::FromString(dictionary->block));
  }
  if (chunks.has_repetition())
    page.buffers.push_back(arrow::Buffer::FromString(chunks.TakeRepetitionIndex()));
  return page;
}

}  // namespace

arrow::Result<EncodedPage> EncodeMiniBlockPage(const LeafValues& values, const Levels& levels,
                                               const EncodingOptions& options, PageFormat format) {
  const bool strings = values.type.kind == LeafType::Kind::kVariable;
  ARROW_ASSIGN_OR_RAISE(auto encoded,
                        strings ? EncodeStringChunks(values, options) : EncodeFixedChunks(values, options));
  return Assemble(std::move(encoded), values, nullptr, 0, levels, format);
}

arrow::Result<EncodedPage> EncodeDictionaryPage(const LeafValues& indices, const LeafValues& entries,
                                                const Levels& levels, const EncodingOptions& options,
                                                PageFormat format) {
  ARROW_ASSIGN_OR_RAISE(const auto dictionary, EncodeDictionary(entries, options, format.v2_2));
  ARROW_ASSIGN_OR_RAISE(auto encoded, EncodeFixedChunks(indices, options));
  return Assemble(std::move(encoded), indices, &dictionary, entries.length, levels, format);
}

}  // namespace pilum
