// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/page_reader.h"

#include "pilum/encoding/blob_field.h"
#include "pilum/file/blob_page.h"

#include "pilum/util/error.h"

namespace pilum {

namespace enc = lance::encodings21;

arrow::Status PageReader::Locate(const arrow::Status& status, int64_t offset) const {
  if (status.IsNotImplemented()) return Annotate(status, page_.path + ": ");
  if (!status.IsInvalid()) return status;
  return CorruptFile(page_.path, offset, status.message());
}

arrow::Status PageReader::Corrupt(int64_t offset, std::string_view what) const {
  return CorruptFile(page_.path, offset, what);
}

arrow::Result<bool> PageReader::InitOnce(Buffers tables) {
  std::lock_guard lock(mutex_);
  if (ready()) return false;
  ARROW_RETURN_NOT_OK(Init(tables));
  ready_.store(true, std::memory_order_release);
  return true;
}

arrow::Status PageReader::Decode(std::span<const RowRange>, Buffers, ColumnBuilder*) const {
  return arrow::Status::NotImplemented(page_.path, ": a page of a nested column");
}

arrow::Status PageReader::DecodeNested(std::span<const RowRange>, Buffers, NestedPiece*) const {
  return arrow::Status::NotImplemented(page_.path, ": a page of a column that is not nested");
}

arrow::Result<bool> HasNullableItem(const google::protobuf::RepeatedField<int>& layers) {
  if (layers.size() == 1 && layers[0] == enc::REPDEF_ALL_VALID_ITEM) return false;
  if (layers.size() == 1 && layers[0] == enc::REPDEF_NULLABLE_ITEM) return true;
  return arrow::Status::Invalid("a page of a column that is not nested has ", layers.size(), " layers");
}

std::vector<enc::RepDefLayer> LayersOf(const google::protobuf::RepeatedField<int>& layers) {
  std::vector<enc::RepDefLayer> result;
  for (const int layer : layers) result.push_back(static_cast<enc::RepDefLayer>(layer));
  return result;
}

namespace {

/// 8.0.0 writes a layer too many, the innermost, for descriptions of blobs. Spec: §7.2.
bool HasSurplusLayer(const google::protobuf::RepeatedField<int>& layers, const LeafColumn& column) {
  return static_cast<size_t>(layers.size()) == column.layers.size() + 1 &&
         layers[0] == enc::REPDEF_ALL_VALID_ITEM && IsBlobDescription(*column.field);
}

/// The layers of a page must be those of its column's type; the page only chooses what is nullable.
arrow::Status CheckLayers(const google::protobuf::RepeatedField<int>& layers, const LeafColumn& column) {
  if (static_cast<size_t>(layers.size()) != column.layers.size()) {
    return arrow::Status::Invalid("a page with ", layers.size(), " layers in a column with ",
                                  column.layers.size());
  }
  for (size_t i = 0; i < column.layers.size(); ++i) {
    const int layer = layers[static_cast<int>(i)];
    const bool known = layer > enc::REPDEF_UNSPECIFIED && layer <= enc::REPDEF_NULL_AND_EMPTY_LIST;
    const bool list = column.layers[i].kind == NestingLayer::Kind::kList;
    if (!known || IsListLayer(static_cast<enc::RepDefLayer>(layer)) != list) {
      return arrow::Status::Invalid("layer ", i, " of a page is of kind ", layer);
    }
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<std::unique_ptr<PageReader>> PageReader::Make(PageDescription page,
                                                            const enc::PageLayout& layout,
                                                            const LeafColumn& column,
                                                            arrow::MemoryPool* pool) {
  const LeafType& type = column.type;
  switch (layout.layout_case()) {
    case enc::PageLayout::kMiniBlockLayout: {
      const auto& mini_block = layout.mini_block_layout();
      ARROW_RETURN_NOT_OK(CheckLayers(mini_block.layers(), column));
      return column.nested() ? MakeNestedMiniBlockPage(std::move(page), mini_block, type, pool)
                             : MakeMiniBlockPage(std::move(page), mini_block, type, pool);
    }
    case enc::PageLayout::kFullZipLayout: {
      const auto* full_zip = &layout.full_zip_layout();
      enc::FullZipLayout mended;
      if (HasSurplusLayer(full_zip->layers(), column)) {
        mended = *full_zip;
        mended.mutable_layers()->erase(mended.layers().begin());
        full_zip = &mended;
      }
      ARROW_RETURN_NOT_OK(CheckLayers(full_zip->layers(), column));
      return column.nested() ? MakeNestedFullZipPage(std::move(page), *full_zip, type, pool)
                             : MakeFullZipPage(std::move(page), *full_zip, type, pool);
    }
    case enc::PageLayout::kConstantLayout:
      if (!IsEmptyStruct(*column.field)) {  // its pages have one layer at any depth
        ARROW_RETURN_NOT_OK(CheckLayers(layout.constant_layout().layers(), column));
      }
      return MakeConstantPage(std::move(page), layout.constant_layout(), type, column.layers.size(), pool);
    case enc::PageLayout::kBlobLayout:
      ARROW_RETURN_NOT_OK(CheckLayers(layout.blob_layout().layers(), column));
      return MakeBlobPage(std::move(page), layout.blob_layout(), column, pool);
    default:
      return arrow::Status::NotImplemented("page layout ", static_cast<int>(layout.layout_case()));
  }
}

}  // namespace pilum
