// SPDX-License-Identifier: Apache-2.0
//
// JSON values as Lance stores them: JSONB, the binary form of the crate `jsonb` 0.5.6. All integers are
// big-endian:
//
//   container := header entry* payload      header: 4 bits of kind | count (28 bits)
//     array   0x80000000   count entries, then the values
//     object  0x40000000   count entries of keys, count of values, then keys, then values; keys ascend by
//     bytes scalar  0x20000000   one entry, then the value; only as the whole document
//   entry := kind << 28 | bytes of the value
//     null 0, string 1, number 2, false 3, true 4, container 5
//   number := one byte of kind, then the fewest of 1, 2, 4, 8 bytes that hold it
//     zero 0x00, NaN 0x10, infinity 0x20, -infinity 0x30, negative integer 0x40, other integer 0x50, double
//     0x60
#pragma once

#include <cstdint>

namespace pilum::jsonb {

inline constexpr uint32_t kArray = 0x80000000, kObject = 0x40000000, kScalar = 0x20000000;
inline constexpr uint32_t kContainerMask = 0xE0000000, kCountMask = 0x1FFFFFFF;

inline constexpr uint32_t kNull = 0x00000000, kString = 0x10000000, kNumber = 0x20000000, kFalse = 0x30000000,
                          kTrue = 0x40000000, kContainer = 0x50000000;
inline constexpr uint32_t kEntryMask = 0xF0000000, kSizeMask = 0x0FFFFFFF;

inline constexpr uint8_t kZero = 0x00, kNaN = 0x10, kInfinity = 0x20, kNegativeInfinity = 0x30,
                         kNegativeInteger = 0x40, kInteger = 0x50, kDouble = 0x60;

}  // namespace pilum::jsonb
