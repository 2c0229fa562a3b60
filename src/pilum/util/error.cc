// SPDX-License-Identifier: Apache-2.0
#include "pilum/util/error.h"

#include <arrow/util/io_util.h>

#include <cstring>
#include <utility>

namespace pilum {

namespace {
constexpr char kTypeId[] = "pilum::ErrorDetail";
}  // namespace

std::string_view ToString(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kCorruptFile:
      return "CorruptFile";
    case ErrorKind::kRetryableCommitConflict:
      return "RetryableCommitConflict";
    case ErrorKind::kIncompatibleTransaction:
      return "IncompatibleTransaction";
    case ErrorKind::kCommitConflict:
      return "CommitConflict";
    case ErrorKind::kUnknownOutcome:
      return "UnknownOutcome";
    case ErrorKind::kFencedWriter:
      return "FencedWriter";
    case ErrorKind::kPoisonedWriter:
      return "PoisonedWriter";
    case ErrorKind::kDatasetNotFound:
      return "DatasetNotFound";
    case ErrorKind::kDatasetAlreadyExists:
      return "DatasetAlreadyExists";
    case ErrorKind::kVersionNotFound:
      return "VersionNotFound";
    case ErrorKind::kIndexNotFound:
      return "IndexNotFound";
    case ErrorKind::kUnsupportedFeature:
      return "UnsupportedFeature";
  }
  return "Unknown";
}

const char* ErrorDetail::type_id() const { return kTypeId; }

std::string ErrorDetail::ToString() const {
  std::string text(pilum::ToString(kind_));
  if (!file_.empty()) text += " in " + file_;
  if (offset_ >= 0) text += " at byte " + std::to_string(offset_);
  return text;
}

std::optional<ErrorKind> GetErrorKind(const arrow::Status& status) {
  const auto& detail = status.detail();
  if (detail == nullptr || std::strcmp(detail->type_id(), kTypeId) != 0) return std::nullopt;
  return static_cast<const ErrorDetail&>(*detail).kind();
}

arrow::Status CorruptFile(std::string_view path, int64_t offset, std::string_view what) {
  const std::string place = offset < 0 ? std::string() : " at byte " + std::to_string(offset);
  return arrow::Status::IOError(path, place, ": ", what)
      .WithDetail(std::make_shared<ErrorDetail>(ErrorKind::kCorruptFile, std::string(path), offset));
}

arrow::Status MakeError(arrow::StatusCode code, ErrorKind kind, std::string message) {
  return arrow::Status(code, std::move(message), std::make_shared<ErrorDetail>(kind));
}

arrow::Status Annotate(const arrow::Status& status, std::string_view prefix) {
  return status.WithMessage(prefix, status.message());
}

std::string DescribeError(const arrow::Status& status) {
  const int number = arrow::internal::ErrnoFromStatus(status);
  return number == 0 ? status.message() : status.message() + ": " + std::strerror(number);
}

}  // namespace pilum
