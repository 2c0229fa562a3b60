// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/result.h>

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace pilum {

/// Version of a data file. Spec: 10-file.md §1.
enum class FormatVersion : uint8_t { kLegacy, k2_0, k2_1, k2_2 };

inline constexpr FormatVersion kStableFormatVersion = FormatVersion::k2_1;  ///< "stable", as in pylance 8.0.0

/// "0.1" and "legacy", "2.0" and "0.3", "2.1", "2.2", "stable"; any case. Invalid "Unknown Lance storage
/// version: x".
arrow::Result<FormatVersion> ParseFormatVersion(std::string_view text);
/// The canonical text that manifests store.
std::string_view ToString(FormatVersion version);

/// From the (major, minor) of a footer or a manifest's data file.
arrow::Result<FormatVersion> FormatVersionFromNumbers(uint32_t major, uint32_t minor);
/// What the footer of a file holds: 2.0 is (0, 3) there.
std::pair<uint16_t, uint16_t> FooterNumbers(FormatVersion version);
/// What a manifest's data file holds: 2.0 is (2, 0) there.
std::pair<uint32_t, uint32_t> DataFileNumbers(FormatVersion version);

}  // namespace pilum
