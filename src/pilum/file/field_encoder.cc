// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/field_encoder.h"

#include <algorithm>

#include "pilum/file/column_metadata.h"
#include "pilum/file/v2_0_nested.h"

namespace pilum {

namespace enc = lance::encodings21;

namespace {

template <typename Encoding>
EncodedColumnPage MakePage(size_t column, std::vector<PageBuffer> buffers, const Encoding& encoding,
                           int64_t num_rows) {
  EncodedColumnPage page{column, std::move(buffers), {}};
  SetEncoding(encoding, page.page.mutable_encoding());
  page.page.set_length(static_cast<uint64_t>(num_rows));
  return page;
}

}  // namespace

arrow::Result<FieldEncoder> FieldEncoder::Make(const std::shared_ptr<arrow::Field>& field,
                                               FormatVersion version, arrow::MemoryPool* pool) {
  FieldEncoder encoder(field, version, pool);
  if (version == FormatVersion::k2_0) {
    ARROW_RETURN_NOT_OK(encoder.AddColumnsV2_0(field));
    return encoder;
  }
  ARROW_ASSIGN_OR_RAISE(auto leaves, LeafColumn::Of(field));
  for (LeafColumn& leaf : leaves) {
    ARROW_ASSIGN_OR_RAISE(auto options, EncodingOptions::Of(*leaf.field, *field, encoder.format().v2_2));
    encoder.columns_.push_back({std::move(leaf), options});
  }
  return encoder;
}

/// A column for each node of `field`, depth first.
arrow::Status FieldEncoder::AddColumnsV2_0(const std::shared_ptr<arrow::Field>& field) {
  ARROW_ASSIGN_OR_RAISE(auto options, EncodingOptions::Of(*field, *field_, /*large_chunks=*/false));
  if (IsNested(*field)) {
    LeafColumn node;
    node.field = field;
    columns_.push_back({std::move(node), options});
    for (const auto& child : field->type()->fields()) ARROW_RETURN_NOT_OK(AddColumnsV2_0(child));
    return arrow::Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(auto leaves, LeafColumn::Of(field));
  columns_.push_back({std::move(leaves[0]), options});
  return arrow::Status::OK();
}

arrow::Result<EncodedField> FieldEncoder::Encode(std::shared_ptr<arrow::ArrayData> array,
                                                 int64_t first_row) const {
  EncodedField out;
  const Rows rows{std::move(array), first_row};
  if (!IsNested(*field_)) {
    ARROW_RETURN_NOT_OK(EncodeFlat(rows, 0, &out));
    return out;
  }
  if (version_ == FormatVersion::k2_0) {
    out.num_structs.resize(columns_.size());
    size_t next = 0;
    ARROW_RETURN_NOT_OK(EncodeNestedV2_0(rows.array, &next, &out));
    return out;
  }
  ARROW_ASSIGN_OR_RAISE(auto leaves, BuildLevels(rows.array, *field_, pool_));
  for (size_t i = 0; i < leaves.size(); ++i) ARROW_RETURN_NOT_OK(EncodeLeaf(rows, leaves[i], i, &out));
  return out;
}

arrow::Status FieldEncoder::EncodeFlat(const Rows& rows, size_t column, EncodedField* out) const {
  const EncodingOptions& options = columns_[column].options;
  const int64_t n = rows.array->length;
  if (version_ == FormatVersion::k2_0) {
    ARROW_ASSIGN_OR_RAISE(auto encoded, EncodePageV2_0(*rows.array, options, pool_));
    out->pages.push_back(MakePage(column, std::move(encoded.buffers), encoded.encoding, n));
    return arrow::Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(auto encoded, EncodePage(*rows.array, options, format(), pool_));
  out->pages.push_back(MakePage(column, std::move(encoded.buffers), encoded.layout, n));
  out->pages.back().page.set_priority(static_cast<uint64_t>(rows.first_row));
  return arrow::Status::OK();
}

arrow::Status FieldEncoder::EncodeNestedV2_0(const std::shared_ptr<arrow::ArrayData>& array, size_t* next,
                                             EncodedField* out) const {
  const size_t column = (*next)++;
  const arrow::Field& node = *columns_[column].leaf.field;
  if (!IsNested(node)) {
    // A packed struct has a page even without rows: no release opens its column otherwise.
    return array->length == 0 && !IsPacked(node) ? arrow::Status::OK() : EncodeFlat({array, 0}, column, out);
  }
  if (array->type->id() == arrow::Type::STRUCT) {
    out->num_structs[column] += array->length;
    for (const auto& child : array->child_data) {
      ARROW_RETURN_NOT_OK(EncodeNestedV2_0(child->Slice(array->offset, array->length), next, out));
    }
    return arrow::Status::OK();
  }
  const EncodedListsV2_0 lists = EncodeListsV2_0(*array);
  if (array->length > 0) out->pages.push_back(MakePage(column, {lists.ends}, lists.encoding, array->length));
  return EncodeNestedV2_0(lists.items, next, out);
}

arrow::Status FieldEncoder::EncodeLeaf(const Rows& rows, const LeafArray& leaf, size_t column,
                                       EncodedField* out) const {
  if (!leaf.levels.TooManyForChunks()) {
    const int64_t n = rows.array->length * columns_[column].leaf.page_rows_per_row();
    return EncodeLeafPage(leaf, n, rows.first_row, column, out);
  }
  int64_t row = rows.first_row, slot = 0, value = 0;
  for (const Levels::Range& range : leaf.levels.CutForChunks()) {
    LeafArray part{leaf.values->Slice(value, range.values), leaf.levels.Slice(slot, range.slots)};
    // One row that needs full-zip, which must not have nulls around lists; it may have none.
    if (part.levels.TooManyForChunks()) part.levels = part.levels.OnlyUsed();
    ARROW_RETURN_NOT_OK(EncodeLeafPage(part, range.rows, row, column, out));
    row += range.rows;
    slot += range.slots;
    value += range.values;
  }
  return arrow::Status::OK();
}

arrow::Status FieldEncoder::EncodeLeafPage(const LeafArray& leaf, int64_t num_rows, int64_t first_row,
                                           size_t column, EncodedField* out) const {
  if (IsEmptyStruct(*columns_[column].leaf.field))
    return EncodeEmptyStructs(leaf, num_rows, first_row, column, out);
  ARROW_ASSIGN_OR_RAISE(const auto values, LeafValues::Of(*leaf.values, pool_));
  ARROW_ASSIGN_OR_RAISE(auto encoded, EncodePage(values, leaf.levels, columns_[column].options, format()));
  out->pages.push_back(MakePage(column, std::move(encoded.buffers), encoded.layout, num_rows));
  out->pages.back().page.set_priority(static_cast<uint64_t>(first_row));
  return arrow::Status::OK();
}

/// A page with room for neither values nor levels, the same at any depth.
arrow::Status FieldEncoder::EncodeEmptyStructs(const LeafArray& leaf, int64_t num_rows, int64_t first_row,
                                               size_t column, EncodedField* out) const {
  if (std::ranges::any_of(leaf.levels.definition, [](uint16_t level) { return level != 0; })) {
    return arrow::Status::NotImplemented("structs without fields that are null, or in a null struct");
  }
  enc::PageLayout layout;
  layout.mutable_constant_layout()->add_layers(enc::REPDEF_NULLABLE_ITEM);
  out->pages.push_back(MakePage(column, {}, layout, num_rows));
  out->pages.back().page.set_priority(static_cast<uint64_t>(first_row));
  return arrow::Status::OK();
}

}  // namespace pilum
