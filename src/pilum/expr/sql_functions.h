// SPDX-License-Identifier: Apache-2.0
//
// What SQL needs and Arrow's compute library does not have, as functions of its registry.
#pragma once

#include <arrow/status.h>

namespace pilum {

/// Floats of any width to the integers that sort as Lance compares floats: by the total order of IEEE 754.
/// -0.0 is less than 0.0; NaN equals itself and is more than infinity (less than -infinity if its sign is
/// set).
inline constexpr char kTotalOrderFunction[] = "pilum_total_order";

/// The remainder of two numbers of one type, with the sign of the first. Invalid if an integer is divided by
/// zero.
inline constexpr char kRemainderFunction[] = "pilum_remainder";

/// Adds these functions to Arrow's registry once. Any thread.
arrow::Status RegisterSqlFunctions();

}  // namespace pilum
