// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/status.h>

#include <string>

#include "shared_board.h"

namespace departure_board {

/// Act 1: the flights of January to November as a Lance table with MemWAL, several fragments, a BTree-less
/// base.
arrow::Status LoadBaseTable(const std::string& data_directory, const std::string& table);

/// Acts 2 and 3: puts December's events, from the first that is not acknowledged on, in small durable
/// batches, while a second thread looks random flights up and checks that it sees exactly the newest
/// acknowledged version.
arrow::Status StreamEvents(const std::string& data_directory, const std::string& table, SharedBoard* board);

/// Act 4: scans the table through its MemWAL and compares it with the truth, row for row; prints what it
/// finds.
/// @return an error when any row is lost, stale or invented.
arrow::Status VerifyBoard(const std::string& data_directory, const std::string& table);

}  // namespace departure_board
