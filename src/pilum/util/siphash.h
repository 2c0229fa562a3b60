// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace pilum {

/// SipHash-1-3 of `bytes` under the key (0, 0): the hash of keys in MemWAL's bloom filters. Spec:
/// 41-memwal-read.md §6.3. Algorithm: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012, with
/// one compression round and three finalization rounds.
uint64_t SipHash13(std::string_view bytes);

}  // namespace pilum
