// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/footer.h"

#include <algorithm>
#include <cstring>

#include "pilum/util/error.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace {

constexpr int64_t kTailBytes = 64 << 10;  // schema and column metadata of most files
constexpr int64_t kTableEntry = 16;       // u64 position, u64 length

/// A table of (position, length) whose ranges must lie in [lowest, end).
arrow::Result<std::vector<ByteRange>> ParseTable(std::span<const uint8_t> bytes, int64_t table_start,
                                                 int64_t lowest, int64_t end, const std::string& path) {
  std::vector<ByteRange> ranges;
  ranges.reserve(bytes.size() / kTableEntry);
  for (size_t at = 0; at < bytes.size(); at += kTableEntry) {
    const uint64_t position = LoadLE<uint64_t>(&bytes[at]), length = LoadLE<uint64_t>(&bytes[at + 8]);
    const uint64_t limit = static_cast<uint64_t>(end);
    if (position < static_cast<uint64_t>(lowest) || position > limit || length > limit - position) {
      return CorruptFile(path, table_start + static_cast<int64_t>(at),
                         "a table entry points to " + std::to_string(length) + " bytes at " +
                             std::to_string(position) + ", outside its part of the file");
    }
    ranges.push_back({static_cast<int64_t>(position), static_cast<int64_t>(length)});
  }
  return ranges;
}

}  // namespace

arrow::Result<Footer> Footer::Parse(std::span<const uint8_t> bytes, int64_t file_size,
                                    const std::string& path) {
  const int64_t at = file_size - kFooterBytes;
  if (at < 0 || static_cast<int64_t>(bytes.size()) < kFooterBytes) {
    return CorruptFile(path, 0, "not a Lance file: only " + std::to_string(file_size) + " bytes long");
  }
  const uint8_t* from = bytes.data() + bytes.size() - kFooterBytes;
  if (std::memcmp(from + 36, kFileMagic, 4) != 0) {
    return CorruptFile(path, file_size - 4, "not a Lance file: the magic number is missing");
  }
  Footer footer;
  auto version = FormatVersionFromNumbers(LoadLE<uint16_t>(from + 32), LoadLE<uint16_t>(from + 34));
  if (!version.ok()) return Annotate(version.status(), path + ": ");
  footer.version = *version;
  if (footer.version == FormatVersion::kLegacy) return footer;
  footer.column_metadata_start = LoadLE<int64_t>(from);
  footer.column_table_start = LoadLE<int64_t>(from + 8);
  footer.global_table_start = LoadLE<int64_t>(from + 16);
  footer.num_global_buffers = LoadLE<uint32_t>(from + 24);
  footer.num_columns = LoadLE<uint32_t>(from + 28);
  const int64_t column_table = footer.num_columns * kTableEntry;
  const int64_t global_table = footer.num_global_buffers * kTableEntry;
  if (footer.column_metadata_start < 0 || footer.column_table_start < footer.column_metadata_start ||
      footer.column_table_start > at || column_table > at - footer.column_table_start ||
      footer.global_table_start < footer.column_table_start + column_table ||
      footer.global_table_start > at || global_table > at - footer.global_table_start) {
    return CorruptFile(path, at, "the footer's sections do not fit the file");
  }
  if (footer.num_global_buffers == 0)
    return CorruptFile(path, at + 24, "no global buffers: the schema is missing");
  return footer;
}

std::string Footer::Serialize() const {
  std::string bytes;
  AppendLE<int64_t>(&bytes, column_metadata_start);
  AppendLE<int64_t>(&bytes, column_table_start);
  AppendLE<int64_t>(&bytes, global_table_start);
  AppendLE<uint32_t>(&bytes, num_global_buffers);
  AppendLE<uint32_t>(&bytes, num_columns);
  const auto [major, minor] = FooterNumbers(version);
  AppendLE<uint16_t>(&bytes, major);
  AppendLE<uint16_t>(&bytes, minor);
  bytes.append(kFileMagic, 4);
  return bytes;
}

std::shared_ptr<arrow::Buffer> FileTail::Slice(ByteRange range) const {
  if (range.offset < start || range.end() > start + bytes->size()) return nullptr;
  return arrow::SliceBuffer(bytes, range.offset - start, range.length);
}

arrow::Result<FileTail> FileTail::Read(ReadableObject* object) {
  const std::string& path = object->path();
  const int64_t size = object->size();
  FileTail tail;
  tail.start = std::max<int64_t>(0, size - kTailBytes);
  ARROW_ASSIGN_OR_RAISE(tail.bytes, object->Read({tail.start, size - tail.start}));
  ARROW_ASSIGN_OR_RAISE(tail.footer, Footer::Parse(AsSpan(*tail.bytes), size, path));
  if (tail.footer.version == FormatVersion::kLegacy) return tail;
  const Footer& footer = tail.footer;
  const auto table = [&](int64_t start, uint32_t entries) {
    return AsSpan(*tail.bytes).subspan(static_cast<size_t>(start - tail.start), entries * kTableEntry);
  };
  const auto global_buffers = [&] {
    return ParseTable(table(footer.global_table_start, footer.num_global_buffers), footer.global_table_start,
                      0, footer.column_metadata_start, path);
  };
  if (footer.column_metadata_start < tail.start) {
    int64_t start = footer.column_metadata_start;
    if (footer.global_table_start >= tail.start) {
      // The schema is wanted next: it lies in front of the column metadata.
      ARROW_ASSIGN_OR_RAISE(const auto buffers, global_buffers());
      if (!buffers.empty() && start - buffers[0].end() < kBufferAlignment) start = buffers[0].offset;
    }
    tail.start = start;
    ARROW_ASSIGN_OR_RAISE(tail.bytes, object->Read({tail.start, size - tail.start}));
  }
  ARROW_ASSIGN_OR_RAISE(tail.columns, ParseTable(table(footer.column_table_start, footer.num_columns),
                                                 footer.column_table_start, footer.column_metadata_start,
                                                 footer.column_table_start, path));
  ARROW_ASSIGN_OR_RAISE(tail.global_buffers, global_buffers());
  return tail;
}

}  // namespace pilum
