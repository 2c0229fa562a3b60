// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/column_metadata.h"

#include <algorithm>
#include <limits>

namespace pilum {

arrow::Result<lance::file::v2::ColumnMetadata> ParseColumnMetadata(std::span<const uint8_t> bytes) {
  lance::file::v2::ColumnMetadata metadata;
  if (bytes.size() > std::numeric_limits<int>::max() ||
      !metadata.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return arrow::Status::Invalid("column metadata that does not parse");
  }
  return metadata;
}

arrow::Result<FileDescription::Column> DescribeColumn(std::span<const uint8_t> bytes, FormatVersion version,
                                                      const std::string& path, int64_t file_size) {
  ARROW_ASSIGN_OR_RAISE(const auto metadata, ParseColumnMetadata(bytes));
  FileDescription::Column column;
  const int num_buffers = std::min(metadata.buffer_offsets_size(), metadata.buffer_sizes_size());
  for (int i = 0; i < num_buffers; ++i) {
    column.buffers.push_back(
        {static_cast<int64_t>(metadata.buffer_offsets(i)), static_cast<int64_t>(metadata.buffer_sizes(i))});
  }
  for (const auto& page : metadata.pages()) {
    ARROW_ASSIGN_OR_RAISE(auto description, DescribePage(page, path, file_size));
    lance::encodings::ArrayEncoding array;
    lance::encodings21::PageLayout layout;
    const bool v2_0 = version == FormatVersion::k2_0;
    ARROW_RETURN_NOT_OK(v2_0 ? ParseEncoding(page.encoding(), &array)
                             : ParseEncoding(page.encoding(), &layout));
    column.pages.push_back(
        {std::move(description.buffers), v2_0 ? array.DebugString() : layout.DebugString()});
  }
  return column;
}

arrow::Result<PageDescription> DescribePage(const lance::file::v2::ColumnMetadata::Page& page,
                                            const std::string& path, int64_t file_size) {
  PageDescription description{path, {}, 0};
  if (page.buffer_offsets_size() != page.buffer_sizes_size()) {
    return arrow::Status::Invalid("a page with ", page.buffer_offsets_size(), " offsets and ",
                                  page.buffer_sizes_size(), " sizes of buffers");
  }
  const uint64_t end = static_cast<uint64_t>(file_size);
  for (int i = 0; i < page.buffer_offsets_size(); ++i) {
    const uint64_t offset = page.buffer_offsets(i), size = page.buffer_sizes(i);
    if (offset > end || size > end - offset) {
      return arrow::Status::Invalid("a page buffer of ", size, " bytes at ", offset, ", outside the file");
    }
    description.buffers.push_back({static_cast<int64_t>(offset), static_cast<int64_t>(size)});
  }
  description.num_rows = static_cast<int64_t>(page.length());
  return description;
}

}  // namespace pilum
