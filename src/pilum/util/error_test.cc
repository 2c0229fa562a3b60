// SPDX-License-Identifier: Apache-2.0
#include "pilum/util/error.h"

#include <gtest/gtest.h>

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

TEST(ErrorTest, AnnotateKeepsCodeAndDetail) {
  const auto status = Annotate(CorruptFile("f", 0, "bad"), "open");
  EXPECT_TRUE(status.IsIOError());
  EXPECT_EQ(status.message(), "open: f at byte 0: bad");
  EXPECT_TRUE(HasErrorKind(status, ErrorKind::kCorruptFile));
}

TEST(ErrorTest, PlainStatusHasNoKind) {
  EXPECT_EQ(GetErrorKind(arrow::Status::Invalid("x")), std::nullopt);
  EXPECT_EQ(GetErrorKind(arrow::Status::OK()), std::nullopt);
}

}  // namespace pilum
