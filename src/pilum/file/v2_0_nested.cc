// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/v2_0_nested.h"

#include <arrow/buffer_builder.h>

#include <algorithm>
#include <limits>
#include <string>

#include "pilum/encoding/nesting.h"
#include "pilum/file/column_metadata.h"
#include "pilum/file/column_reader.h"
#include "pilum/file/nested_column.h"
#include "pilum/file/v2_0_page.h"
#include "pilum/util/error.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace v2_0 = lance::encodings;

namespace {

/// One page of a list column.
struct ListPage {
  ByteRange ends;  // u64 each
  int64_t num_rows;
  uint64_t adjustment;  // added to the end of a null list
  int64_t num_items;
};

arrow::Result<std::vector<ListPage>> ParseListPages(std::span<const uint8_t> metadata,
                                                    const std::string& path, int64_t file_size) {
  ARROW_ASSIGN_OR_RAISE(const auto message, ParseColumnMetadata(metadata));
  std::vector<ListPage> pages;
  for (const auto& page : message.pages()) {
    ARROW_ASSIGN_OR_RAISE(const auto description, DescribePage(page, path, file_size));
    if (description.num_rows == 0) continue;
    v2_0::ArrayEncoding encoding;
    ARROW_RETURN_NOT_OK(ParseEncoding(page.encoding(), &encoding));
    if (!encoding.has_list()) return arrow::Status::Invalid("a page without lists in a column of lists");
    const auto& list = encoding.list();
    const UnwrappedV2_0 ends = UnwrappedV2_0::Of(list.offsets());
    if (ends.values == nullptr || ends.validity != nullptr || list.null_offset_adjustment() == 0) {
      return arrow::Status::Invalid("lists with null offsets");
    }
    ListPage result{
        {}, description.num_rows, list.null_offset_adjustment(), static_cast<int64_t>(list.num_items())};
    if (result.num_rows < 0 || result.num_items < 0 || list.num_items() >= list.null_offset_adjustment()) {
      return arrow::Status::Invalid("a page of ", list.num_items(), " items");
    }
    ARROW_ASSIGN_OR_RAISE(result.ends, FindPlainV2_0(description, *ends.values, 64, result.num_rows));
    pages.push_back(result);
  }
  return pages;
}

/// The part of a page that a range of rows needs: its ends, and the one in front of them.
struct ListPart {
  const ListPage* page;
  int64_t first_item;  // of the page
  RowRange rows;       // of the page
};

}  // namespace

arrow::Result<int32_t> NestedReaderV2_0::TakeColumn(std::span<const int32_t>* columns) const {
  if (columns->empty()) {
    return arrow::Status::Invalid(object_->path(), ": a projection with too few columns for its schema");
  }
  const int32_t column = columns->front();
  *columns = columns->subspan(1);
  if (column < 0 || static_cast<size_t>(column) >= tail_.columns.size()) {
    return arrow::Status::Invalid(object_->path(), ": column ", column, " was asked for but there are only ",
                                  tail_.columns.size(), " columns in the file");
  }
  return column;
}

arrow::Result<NestedReaderV2_0::Lists> NestedReaderV2_0::ReadLists(ByteRange column, int64_t num_rows,
                                                                   std::span<const RowRange> rows) const {
  auto pages = ParseListPages(AsSpan(*tail_.Slice(column)), object_->path(), object_->size());
  if (pages.status().IsInvalid())
    return CorruptFile(object_->path(), column.offset, pages.status().message());
  ARROW_RETURN_NOT_OK(pages.status());
  Lists lists;
  std::vector<ListPart> parts;
  std::vector<ByteRange> bytes;
  int64_t first_row = 0;
  for (const ListPage& page : *pages) {
    const int64_t end_row = first_row + std::min(page.num_rows, num_rows - first_row);
    for (const RowRange& range : rows) {
      const int64_t begin = std::max(range.begin, first_row), end = std::min(range.end, end_row);
      if (begin >= end) continue;
      parts.push_back({&page, lists.num_items, {begin - first_row, end - first_row}});
      const int64_t before = parts.back().rows.begin > 0 ? 1 : 0;
      bytes.push_back(
          {page.ends.offset + 8 * (parts.back().rows.begin - before), 8 * (end - begin + before)});
    }
    first_row += page.num_rows;
    if (first_row > num_rows || page.num_items > std::numeric_limits<int64_t>::max() - lists.num_items) break;
    lists.num_items += page.num_items;
  }
  if (first_row != num_rows) {
    return CorruptFile(object_->path(), column.offset,
                       "list pages that do not add up to " + std::to_string(num_rows) + " rows");
  }
  ARROW_ASSIGN_OR_RAISE(const auto fetched, object_->ReadMany(bytes));
  for (size_t i = 0; i < parts.size(); ++i) {
    const ListPart& part = parts[i];
    const uint8_t* at = fetched.ranges[i].data();
    int64_t begin = 0;
    if (part.rows.begin > 0) {
      begin = static_cast<int64_t>(LoadLE<uint64_t>(at) % part.page->adjustment);
      at += 8;
    }
    for (int64_t row = part.rows.begin; row < part.rows.end; ++row, at += 8) {
      const uint64_t stored = LoadLE<uint64_t>(at);
      const int64_t end = static_cast<int64_t>(stored % part.page->adjustment);
      if (end < begin || end > part.page->num_items) {
        return CorruptFile(object_->path(), part.page->ends.offset + 8 * row,
                           "a list that ends before it begins");
      }
      lists.Append({part.first_item + begin, part.first_item + end}, stored < part.page->adjustment);
      begin = end;
    }
  }
  return lists;
}

arrow::Result<std::shared_ptr<arrow::ArrayData>> NestedReaderV2_0::ReadLeaf(
    const std::shared_ptr<arrow::Field>& field, int32_t column, int64_t num_rows,
    std::span<const RowRange> rows) const {
  ARROW_ASSIGN_OR_RAISE(auto leaves, LeafColumn::Of(field));
  ARROW_ASSIGN_OR_RAISE(const LeafColumn leaf, projection_.Stored(column, std::move(leaves[0])));
  ARROW_ASSIGN_OR_RAISE(auto plan, find_(column, leaf, num_rows, rows));
  std::vector<ByteRange> bytes;
  ColumnReader::Plan(plan.parts, &bytes);
  ARROW_ASSIGN_OR_RAISE(const auto fetched, object_->ReadMany(bytes));
  int64_t n = 0;
  for (const RowRange& range : rows) n += range.size();
  ARROW_ASSIGN_OR_RAISE(auto builder, ColumnBuilder::Make(leaf.type, n, pool_));
  Buffers rest = fetched.ranges;
  ARROW_RETURN_NOT_OK(ColumnReader::Decode(plan.parts, &rest, &builder));
  return builder.Finish();
}

arrow::Result<std::shared_ptr<arrow::ArrayData>> NestedReaderV2_0::Read(
    const std::shared_ptr<arrow::Field>& field, int64_t num_rows, std::span<const RowRange> rows,
    std::span<const int32_t>* columns) const {
  ARROW_ASSIGN_OR_RAISE(const int32_t column, TakeColumn(columns));
  const auto& type = field->type();
  if (!IsNested(*field)) return ReadLeaf(field, column, num_rows, rows);
  switch (type->id()) {
    case arrow::Type::STRUCT: {
      int64_t n = 0;
      for (const RowRange& range : rows) n += range.size();
      auto data = arrow::ArrayData::Make(type, n, {nullptr}, 0);
      for (const auto& child : type->fields()) {
        ARROW_ASSIGN_OR_RAISE(auto child_data, Read(child, num_rows, rows, columns));
        data->child_data.push_back(std::move(child_data));
      }
      return data;
    }
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST: {
      ARROW_ASSIGN_OR_RAISE(const Lists lists, ReadLists(MetadataOf(column), num_rows, rows));
      ARROW_ASSIGN_OR_RAISE(auto items, Read(type->field(0), lists.num_items, lists.items, columns));
      arrow::TypedBufferBuilder<bool> validity(pool_);
      for (const bool valid : lists.valid) ARROW_RETURN_NOT_OK(validity.Append(valid));
      std::shared_ptr<arrow::Buffer> bitmap;
      if (lists.null_count > 0) {
        ARROW_ASSIGN_OR_RAISE(bitmap, validity.Finish());
      }
      ARROW_ASSIGN_OR_RAISE(auto offsets, ListOffsets(*field, lists.offsets, pool_));
      auto data = arrow::ArrayData::Make(type, static_cast<int64_t>(lists.valid.size()),
                                         {std::move(bitmap), std::move(offsets)}, lists.null_count);
      data->child_data = {std::move(items)};
      return data;
    }
    default:
      return arrow::Status::NotImplemented(object_->path(), ": column '", field->name(),
                                           "': files of version 2.0 hold no ", type->ToString());
  }
}

EncodedListsV2_0 EncodeListsV2_0(const arrow::ArrayData& array) {
  const bool wide = array.type->id() == arrow::Type::LARGE_LIST;
  const auto offset = [&](int64_t i) {
    if (array.length == 0) return int64_t{0};
    return wide ? array.GetValues<int64_t>(1)[i] : int64_t{array.GetValues<int32_t>(1)[i]};
  };
  const int64_t first = offset(0), num_items = offset(array.length) - first;
  const uint64_t adjustment = static_cast<uint64_t>(num_items) + 1;
  std::string ends;
  for (int64_t i = 0; i < array.length; ++i) {
    AppendLE<uint64_t>(&ends,
                       static_cast<uint64_t>(offset(i + 1) - first) + (array.IsNull(i) ? adjustment : 0));
  }
  EncodedListsV2_0 lists;
  lists.ends = arrow::Buffer::FromString(std::move(ends));
  auto* list = lists.encoding.mutable_list();
  auto* flat =
      list->mutable_offsets()->mutable_nullable()->mutable_no_nulls()->mutable_values()->mutable_flat();
  flat->set_bits_per_value(64);
  flat->mutable_buffer();
  list->set_null_offset_adjustment(adjustment);
  list->set_num_items(static_cast<uint64_t>(num_items));
  lists.items = array.child_data[0]->Slice(first, num_items);
  return lists;
}

}  // namespace pilum
