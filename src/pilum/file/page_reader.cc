// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/page_reader.h"

#include "pilum/util/error.h"

namespace pilum {

namespace enc = lance::encodings21;

arrow::Status PageReader::Locate(const arrow::Status& status, int64_t offset) const {
  if (!status.IsInvalid()) return status;
  return CorruptFile(page_.path, offset, status.message());
}

arrow::Status PageReader::Corrupt(int64_t offset, std::string_view what) const {
  return CorruptFile(page_.path, offset, what);
}

arrow::Result<bool> HasNullableItem(const google::protobuf::RepeatedField<int>& layers) {
  if (layers.size() != 1) {
    return arrow::Status::NotImplemented("pages with ", layers.size(),
                                         " levels of nesting are not supported yet");
  }
  if (layers[0] == enc::REPDEF_ALL_VALID_ITEM) return false;
  if (layers[0] == enc::REPDEF_NULLABLE_ITEM) return true;
  return arrow::Status::Invalid("a page of a column that is not nested has layer ", layers[0]);
}

arrow::Result<std::unique_ptr<PageReader>> PageReader::Make(PageDescription page,
                                                            const enc::PageLayout& layout,
                                                            const LeafType& type, arrow::MemoryPool* pool) {
  switch (layout.layout_case()) {
    case enc::PageLayout::kMiniBlockLayout:
      return MakeMiniBlockPage(std::move(page), layout.mini_block_layout(), type, pool);
    case enc::PageLayout::kFullZipLayout:
      return MakeFullZipPage(std::move(page), layout.full_zip_layout(), type, pool);
    case enc::PageLayout::kConstantLayout:
      return MakeConstantPage(std::move(page), layout.constant_layout(), type, pool);
    case enc::PageLayout::kBlobLayout:
      return arrow::Status::NotImplemented("blob columns are not supported yet");
    default:
      return arrow::Status::NotImplemented("page layout ", static_cast<int>(layout.layout_case()));
  }
}

}  // namespace pilum
