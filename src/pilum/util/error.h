// SPDX-License-Identifier: Apache-2.0
//
// Errors a caller can act on. Every function of Pilum reports failure through arrow::Status; where the code
// alone does not tell the caller what to do (retry, give up, reopen), the status carries an ErrorDetail.
#pragma once

#include <arrow/status.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pilum {

enum class ErrorKind {
  kCorruptFile,              ///< Bytes on disk that cannot be what they claim; file() and offset() say where.
  kRetryableCommitConflict,  ///< Another commit got in between: run the operation again on the latest
                             ///< version.
  kIncompatibleTransaction,  ///< Another commit made this one meaningless: do not retry.
  kCommitConflict,           ///< All attempts to find a free version lost.
  kUnknownOutcome,           ///< The answer to the last write of a commit is lost: the version may be there.
  kFencedWriter,             ///< Another writer owns the shard.
  kPoisonedWriter,           ///< A WAL write failed; the writer accepts nothing until it is reopened.
  kDatasetNotFound,
  kDatasetAlreadyExists,
  kVersionNotFound,
  kIndexNotFound,
  kUnsupportedFeature,  ///< Feature flags or versions this library does not know.
};

/// Name of the kind, as in "CorruptFile".
std::string_view ToString(ErrorKind kind);

/// The part of a Status a program reads. Immutable.
class ErrorDetail final : public arrow::StatusDetail {
 public:
  explicit ErrorDetail(ErrorKind kind, std::string file = {}, int64_t offset = -1)
      : kind_(kind), file_(std::move(file)), offset_(offset) {}

  const char* type_id() const override;
  std::string ToString() const override;

  ErrorKind kind() const { return kind_; }
  const std::string& file() const { return file_; }
  int64_t offset() const { return offset_; }  ///< -1: unknown

 private:
  const ErrorKind kind_;
  const std::string file_;
  const int64_t offset_;
};

/// The kind a status carries, or none.
std::optional<ErrorKind> GetErrorKind(const arrow::Status& status);
inline bool HasErrorKind(const arrow::Status& status, ErrorKind kind) { return GetErrorKind(status) == kind; }

/// IOError "<path> at byte <offset>: <what>" with kCorruptFile; without the byte for a negative offset.
arrow::Status CorruptFile(std::string_view path, int64_t offset, std::string_view what);

/// A status of `code` with a detail of `kind`.
arrow::Status MakeError(arrow::StatusCode code, ErrorKind kind, std::string message);

/// `status` with `prefix` put before its message; code and detail stay.
arrow::Status Annotate(const arrow::Status& status, std::string_view prefix);

/// The message for people: with the reason the operating system gave, if it did ("No space left on device").
std::string DescribeError(const arrow::Status& status);

}  // namespace pilum
