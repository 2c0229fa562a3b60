// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pilum {

/// A UUID: 16 bytes in the order of RFC 4122. A value; ordered bytewise.
struct Uuid {
  std::array<uint8_t, 16> bytes{};

  /// A random (version 4) UUID from the operating system's generator.
  static Uuid Random();
  /// Accepts 8-4-4-4-12 hexadecimal digits of either case, nothing else.
  static std::optional<Uuid> Parse(std::string_view text);
  /// Accepts exactly 16 bytes.
  static std::optional<Uuid> FromBytes(std::string_view raw);

  /// Lower case, hyphenated.
  std::string ToString() const;
  std::string_view AsBytes() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

  auto operator<=>(const Uuid&) const = default;
};

/// `num_bytes` bytes from the operating system's generator as lower-case hexadecimal digits.
std::string RandomHex(int num_bytes);

/// 64 random bits from the operating system's generator.
uint64_t RandomU64();

}  // namespace pilum
