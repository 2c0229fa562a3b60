// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace departure_board {

/// The story, told by starting one process per act: load the base table, stream December, be killed in the
/// middle, stream the rest, verify. @return exit code.
int RunBoard(const std::string& data_directory, const std::string& table);

}  // namespace departure_board
