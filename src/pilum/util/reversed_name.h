// SPDX-License-Identifier: Apache-2.0
//
// File names of dense numbers whose leading characters differ most, so that object stores spread them over
// partitions: the 64 bits of the number, least significant first, as text. 1 -> "1000..0", 2 -> "0100..0", 5
// -> "1010..0". Spec: 40-memwal-write.md §2.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pilum {

/// Exactly 64 characters '0' or '1'.
std::string ReversedName(uint64_t number);

/// The number of a stem made by ReversedName, or none if `stem` is anything else.
std::optional<uint64_t> ParseReversedName(std::string_view stem);

/// The number of a file called `<64 digits><suffix>`, or none. Leftovers such as "<64 digits>.arrow.tmp.x"
/// are none.
std::optional<uint64_t> ParseReversedFileName(std::string_view name, std::string_view suffix);

}  // namespace pilum
