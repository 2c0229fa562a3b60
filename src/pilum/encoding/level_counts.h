// SPDX-License-Identifier: Apache-2.0
//
// Questions about runs of levels that reads of lists ask for whole chunks, at memory speed.
#pragma once

#include <cstdint>
#include <span>

namespace pilum {

/// How many of `levels` are `level`.
int64_t CountEqual(std::span<const uint16_t> levels, uint16_t level);

/// How many of `levels` are `level` or less.
int64_t CountAtMost(std::span<const uint16_t> levels, uint16_t level);

/// The position of the level that is `level` for the `nth` time, from 1 on; the size if it is not so often.
int64_t FindNth(std::span<const uint16_t> levels, uint16_t level, int64_t nth);

}  // namespace pilum
