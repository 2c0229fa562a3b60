// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/column_reader.h"

#include <algorithm>

#include "pilum/file/column_metadata.h"
#include "pilum/util/error.h"

namespace pilum {

namespace {

arrow::Result<std::unique_ptr<PageReader>> MakePage(const lance::file::v2::ColumnMetadata::Page& page,
                                                    PageDescription description, FormatVersion version,
                                                    const LeafColumn& column) {
  if (version == FormatVersion::k2_0) {
    lance::encodings::ArrayEncoding encoding;
    ARROW_RETURN_NOT_OK(ParseEncoding(page.encoding(), &encoding));
    return PageReader::Make(std::move(description), encoding, column.type, arrow::default_memory_pool());
  }
  lance::encodings21::PageLayout layout;
  ARROW_RETURN_NOT_OK(ParseEncoding(page.encoding(), &layout));
  return PageReader::Make(std::move(description), layout, column, arrow::default_memory_pool());
}

/// What tables of chunks (2 bytes a chunk become 16), indexes and dictionaries grow to, about, and a page.
constexpr int64_t kBytesPerTableByte = 4;
constexpr int64_t kBytesPerPage = 512;

}  // namespace

arrow::Result<std::shared_ptr<ColumnReader>> ColumnReader::Open(const ReadableObject& object,
                                                                ByteRange metadata_range,
                                                                std::span<const uint8_t> metadata,
                                                                FormatVersion version, const LeafColumn& leaf,
                                                                int64_t num_rows) {
  const auto located = [&](const arrow::Status& status) {
    return status.IsInvalid()          ? CorruptFile(object.path(), metadata_range.offset, status.message())
           : status.IsNotImplemented() ? Annotate(status, object.path() + ": ")
                                       : status;
  };
  auto message = ParseColumnMetadata(metadata);
  if (!message.ok()) return located(message.status());
  std::shared_ptr<ColumnReader> column(new ColumnReader());
  column->column_ = leaf;
  column->num_rows_ = num_rows;
  column->page_rows_per_row_ = leaf.page_rows_per_row();
  if (__builtin_mul_overflow(num_rows, column->page_rows_per_row_, &num_rows)) {
    return located(arrow::Status::Invalid("more items than 2^63"));
  }
  int64_t row = 0;
  for (const auto& page : message->pages()) {
    auto description = DescribePage(page, object.path(), object.size());
    if (!description.ok()) return located(description.status());
    if (description->num_rows == 0) continue;
    if (description->num_rows < 0 || description->num_rows > num_rows - row) {
      return located(arrow::Status::Invalid("pages of more than the file's ", num_rows, " rows"));
    }
    column->first_rows_.push_back(row);
    row += description->num_rows;
    auto reader = MakePage(page, *std::move(description), version, leaf);
    if (!reader.ok()) return located(reader.status());
    if ((*reader)->InitRanges().empty()) ARROW_RETURN_NOT_OK((*reader)->InitOnce({}).status());
    column->pages_.push_back(*std::move(reader));
  }
  if (row != num_rows) {
    return located(arrow::Status::Invalid("pages of ", row, " rows in a file of ", num_rows));
  }
  column->first_rows_.push_back(row);
  column->memory_bytes_ = kBytesPerPage * std::ssize(column->pages_);
  return column;
}

std::vector<ColumnReader::Part> ColumnReader::Find(std::span<const RowRange> rows) const {
  std::vector<Part> parts;
  size_t page = 0;
  for (RowRange range : rows) {
    range = {range.begin * page_rows_per_row_, range.end * page_rows_per_row_};
    while (range.size() > 0) {
      if (range.begin >= first_rows_[page + 1]) {
        page = static_cast<size_t>(std::upper_bound(first_rows_.begin() + static_cast<int64_t>(page),
                                                    first_rows_.end(), range.begin) -
                                   first_rows_.begin()) -
               1;
      }
      if (parts.empty() || parts.back().page != pages_[page].get()) parts.push_back({pages_[page].get(), {}});
      const int64_t end = std::min(range.end, first_rows_[page + 1]);
      parts.back().rows.push_back({range.begin - first_rows_[page], end - first_rows_[page]});
      range.begin = end;
    }
  }
  return parts;
}

void ColumnReader::AppendTables(std::span<Part> parts, std::vector<ByteRange>* bytes) {
  for (Part& part : parts) {
    if (part.page->ready()) continue;
    const auto tables = part.page->InitRanges();
    bytes->insert(bytes->end(), tables.begin(), tables.end());
    part.num_tables = tables.size();
  }
}

arrow::Result<int64_t> ColumnReader::InitTables(std::span<const Part> parts, Buffers* buffers) {
  int64_t grown = 0;
  for (const Part& part : parts) {
    if (part.num_tables == 0) continue;
    const Buffers tables = buffers->first(part.num_tables);
    *buffers = buffers->subspan(part.num_tables);
    ARROW_ASSIGN_OR_RAISE(const bool first, part.page->InitOnce(tables));
    if (!first) continue;
    for (const auto& table : tables) grown += kBytesPerTableByte * std::ssize(table);
  }
  memory_bytes_ += grown;
  return grown;
}

void ColumnReader::Plan(std::span<Part> parts, std::vector<ByteRange>* bytes) {
  for (Part& part : parts) {
    const size_t before = bytes->size();
    part.page->Plan(part.rows, bytes);
    part.num_buffers = bytes->size() - before;
  }
}

arrow::Status ColumnReader::Decode(std::span<const Part> parts, Buffers* buffers, ColumnBuilder* out) {
  for (const Part& part : parts) {
    ARROW_RETURN_NOT_OK(part.page->Decode(part.rows, buffers->first(part.num_buffers), out));
    *buffers = buffers->subspan(part.num_buffers);
  }
  return arrow::Status::OK();
}

arrow::Result<std::vector<NestedPiece>> ColumnReader::DecodeNested(std::span<const Part> parts,
                                                                   Buffers* buffers) {
  std::vector<NestedPiece> pieces(parts.size());
  for (size_t i = 0; i < parts.size(); ++i) {
    ARROW_RETURN_NOT_OK(
        parts[i].page->DecodeNested(parts[i].rows, buffers->first(parts[i].num_buffers), &pieces[i]));
    *buffers = buffers->subspan(parts[i].num_buffers);
  }
  return pieces;
}

}  // namespace pilum
