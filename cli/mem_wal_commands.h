// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/status.h>

#include <ostream>

#include "cli/table_commands.h"

namespace pilum::cli {

/// Prints what the table records about its MemWAL and, per shard, its writer's epoch, generations and log.
/// With `generations_only` one line per shard for scripts.
arrow::Status MemWalStatus(const TableArguments& table, bool generations_only, std::ostream& out);

}  // namespace pilum::cli
