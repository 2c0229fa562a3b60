// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/format_version.h"

#include <gtest/gtest.h>

namespace pilum {

TEST(FormatVersionTest, TextAndAliases) {
  EXPECT_EQ(ParseFormatVersion("2.1").ValueOrDie(), FormatVersion::k2_1);
  EXPECT_EQ(ParseFormatVersion("0.3").ValueOrDie(), FormatVersion::k2_0);
  EXPECT_EQ(ParseFormatVersion("LEGACY").ValueOrDie(), FormatVersion::kLegacy);
  EXPECT_EQ(ParseFormatVersion("Stable").ValueOrDie(), FormatVersion::k2_1);
  EXPECT_EQ(ParseFormatVersion("9.9").status().message(), "Unknown Lance storage version: 9.9");
  EXPECT_FALSE(ParseFormatVersion("2.3").ok()) << "unstable: two releases disagree on its bytes";
}

TEST(FormatVersionTest, OnlyTwoPointZeroDiffersBetweenFooterAndManifest) {
  EXPECT_EQ(FooterNumbers(FormatVersion::k2_0), (std::pair<uint16_t, uint16_t>{0, 3}));
  EXPECT_EQ(DataFileNumbers(FormatVersion::k2_0), (std::pair<uint32_t, uint32_t>{2, 0}));
  for (auto version :
       {FormatVersion::kLegacy, FormatVersion::k2_0, FormatVersion::k2_1, FormatVersion::k2_2}) {
    const auto [major, minor] = FooterNumbers(version);
    EXPECT_EQ(FormatVersionFromNumbers(major, minor).ValueOrDie(), version);
    const auto [file_major, file_minor] = DataFileNumbers(version);
    EXPECT_EQ(FormatVersionFromNumbers(file_major, file_minor).ValueOrDie(), version);
    EXPECT_EQ(ParseFormatVersion(ToString(version)).ValueOrDie(), version);
  }
}

TEST(FormatVersionTest, UnknownNumbersAreRefused) {
  for (auto [major, minor] : {std::pair{0, 4}, {1, 0}, {2, 3}, {2, 4}, {3, 0}}) {
    EXPECT_FALSE(FormatVersionFromNumbers(major, minor).ok()) << major << "." << minor;
  }
}

}  // namespace pilum
