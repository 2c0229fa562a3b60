// SPDX-License-Identifier: Apache-2.0
#include "pilum/util/error.h"

#include <arrow/util/io_util.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace pilum {

TEST(ErrorTest, CorruptFileNamesFileAndOffset) {
  const auto status = CorruptFile("data/x.lance", 17, "no magic");
  EXPECT_TRUE(status.IsIOError());
  EXPECT_EQ(status.message(), "data/x.lance at byte 17: no magic");
  EXPECT_EQ(GetErrorKind(status), ErrorKind::kCorruptFile);
  const auto& detail = static_cast<const ErrorDetail&>(*status.detail());
  EXPECT_EQ(detail.file(), "data/x.lance");
  EXPECT_EQ(detail.offset(), 17);
}

TEST(ErrorTest, AnUnknownOffsetIsNotShown) {
  EXPECT_EQ(CorruptFile("folder", -1, "not whole").message(), "folder: not whole");
}

TEST(ErrorTest, AnnotateKeepsCodeAndDetail) {
  const auto status = Annotate(CorruptFile("f", 0, "bad"), "open: ");
  EXPECT_TRUE(status.IsIOError());
  EXPECT_EQ(status.message(), "open: f at byte 0: bad");
  EXPECT_TRUE(HasErrorKind(status, ErrorKind::kCorruptFile));
}

TEST(ErrorTest, PlainStatusHasNoKind) {
  EXPECT_EQ(GetErrorKind(arrow::Status::Invalid("x")), std::nullopt);
  EXPECT_EQ(GetErrorKind(arrow::Status::OK()), std::nullopt);
}

TEST(ErrorTest, DescriptionsHaveTheSystemsReason) {
  const auto status = arrow::internal::StatusFromErrno(ENOSPC, arrow::StatusCode::IOError, "cannot write x");
  EXPECT_EQ(DescribeError(status), "cannot write x: No space left on device");
  EXPECT_EQ(DescribeError(Annotate(status, "log: ")), "log: cannot write x: No space left on device");
  EXPECT_EQ(DescribeError(arrow::Status::Invalid("plain")), "plain");
}

}  // namespace pilum
