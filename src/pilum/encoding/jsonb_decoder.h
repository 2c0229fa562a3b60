// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/status.h>

#include <string>
#include <string_view>

namespace pilum {

/// Appends the JSON text of `jsonb` to `to`, without spaces, numbers as upstream writes them: doubles with a
/// fraction, or an exponent from 1e16 and below 1e-5; NaN and infinities are null. Invalid for other bytes;
/// then `to` has what came before them.
arrow::Status AppendJsonText(std::string_view jsonb, std::string* to);

}  // namespace pilum
