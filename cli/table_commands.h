// SPDX-License-Identifier: Apache-2.0
//
// The verbs that look at one table. Each prints to `out` and returns what a C++ user would get.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace pilum {
class Dataset;
}

namespace pilum::cli {

/// What every verb takes.
struct TableArguments {
  std::string uri;
  std::optional<uint64_t> version;
};

/// The version of the table that the arguments name.
arrow::Result<std::shared_ptr<Dataset>> Open(const TableArguments& table);

arrow::Status Info(const TableArguments& table, std::ostream& out);
arrow::Status PrintSchema(const TableArguments& table, std::ostream& out);
arrow::Status Count(const TableArguments& table, const std::string& filter, std::ostream& out);
arrow::Status Head(const TableArguments& table, int64_t num_rows, const std::string& filter,
                   const std::vector<std::string>& columns, std::ostream& out);
arrow::Status Take(const TableArguments& table, const std::vector<int64_t>& offsets,
                   const std::vector<std::string>& columns, std::ostream& out);

}  // namespace pilum::cli
