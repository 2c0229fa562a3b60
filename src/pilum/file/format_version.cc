// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/format_version.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace pilum {

arrow::Result<FormatVersion> ParseFormatVersion(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  if (lower == "0.1" || lower == "legacy") return FormatVersion::kLegacy;
  if (lower == "2.0" || lower == "0.3") return FormatVersion::k2_0;
  if (lower == "2.1") return FormatVersion::k2_1;
  if (lower == "2.2") return FormatVersion::k2_2;
  if (lower == "stable") return kStableFormatVersion;
  return arrow::Status::Invalid("Unknown Lance storage version: ", text);
}

std::string_view ToString(FormatVersion version) {
  switch (version) {
    case FormatVersion::kLegacy:
      return "0.1";
    case FormatVersion::k2_0:
      return "2.0";
    case FormatVersion::k2_1:
      return "2.1";
    case FormatVersion::k2_2:
      return "2.2";
  }
  return "unknown";
}

arrow::Result<FormatVersion> FormatVersionFromNumbers(uint32_t major, uint32_t minor) {
  if (major == 0 && minor <= 2) return FormatVersion::kLegacy;
  if ((major == 0 && minor == 3) || (major == 2 && minor == 0)) return FormatVersion::k2_0;
  if (major == 2 && minor == 1) return FormatVersion::k2_1;
  if (major == 2 && minor == 2) return FormatVersion::k2_2;
  return arrow::Status::Invalid("Unknown Lance storage version: ", major, ".", minor);
}

std::pair<uint32_t, uint32_t> DataFileNumbers(FormatVersion version) {
  switch (version) {
    case FormatVersion::kLegacy:
      return {0, 2};
    case FormatVersion::k2_0:
      return {2, 0};
    case FormatVersion::k2_1:
      return {2, 1};
    case FormatVersion::k2_2:
      return {2, 2};
  }
  return {0, 0};
}

std::pair<uint16_t, uint16_t> FooterNumbers(FormatVersion version) {
  if (version == FormatVersion::k2_0) return {0, 3};
  const auto [major, minor] = DataFileNumbers(version);
  return {static_cast<uint16_t>(major), static_cast<uint16_t>(minor)};
}

}  // namespace pilum
