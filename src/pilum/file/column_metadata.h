// SPDX-License-Identifier: Apache-2.0
//
// ColumnMetadata messages: the pages of a column and their encodings. Spec: 10-file.md §2.4 to §2.6.
#pragma once

#include <arrow/result.h>
#include <google/protobuf/any.pb.h>

#include <cstdint>
#include <span>
#include <string>

#include "pilum/file/file_reader.h"
#include "pilum/file/page_reader.h"
#include "pilum_proto/file2.pb.h"

namespace pilum {

/// The message that an encoding wraps. Invalid if it is not stored in place, or of another type.
template <typename Message>
arrow::Status ParseEncoding(const lance::file::v2::Encoding& encoding, Message* message) {
  google::protobuf::Any any;
  if (!encoding.has_direct() || !any.ParseFromString(encoding.direct().encoding())) {
    return arrow::Status::Invalid("an encoding that is not stored in place");
  }
  const std::string& url = any.type_url();
  const std::string& name = Message::descriptor()->full_name();
  const size_t slash = url.rfind('/');  // any host may stand in front
  if (slash == std::string::npos || url.compare(slash + 1, std::string::npos, name) != 0) {
    return arrow::Status::Invalid("an encoding of type '", url, "' where ", name, " was expected");
  }
  if (!message->ParseFromString(any.value()))
    return arrow::Status::Invalid("an encoding that does not parse");
  return arrow::Status::OK();
}

/// Wraps `message` the way ParseEncoding takes it apart.
template <typename Message>
void SetEncoding(const Message& message, lance::file::v2::Encoding* encoding) {
  google::protobuf::Any any;
  any.set_type_url("/" + std::string(Message::descriptor()->full_name()));
  message.SerializeToString(any.mutable_value());
  any.SerializeToString(encoding->mutable_direct()->mutable_encoding());
}

arrow::Result<lance::file::v2::ColumnMetadata> ParseColumnMetadata(std::span<const uint8_t> bytes);

/// A ColumnMetadata message for people. Invalid when it does not parse.
arrow::Result<FileDescription::Column> DescribeColumn(std::span<const uint8_t> bytes, FormatVersion version,
                                                      const std::string& path, int64_t file_size);

/// Where a page is. Invalid when a buffer lies outside of the file.
arrow::Result<PageDescription> DescribePage(const lance::file::v2::ColumnMetadata::Page& page,
                                            const std::string& path, int64_t file_size);

}  // namespace pilum
