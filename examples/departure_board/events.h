// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/api.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace departure_board {

/// Rows of <directory>/<name>, a file that prepare.py wrote.
arrow::Result<std::shared_ptr<arrow::Table>> ReadTable(const std::string& directory, const std::string& name);

/// Number of events in <directory>/events.arrow. Exits the program when there is no such file.
uint64_t CountEvents(const std::string& directory);

/// December's events in the order they happened, and which of them concern the same flight.
class EventLog {
 public:
  static arrow::Result<EventLog> Load(const std::string& directory);

  uint64_t size() const { return static_cast<uint64_t>(rows_->num_rows()); }
  /// Events [begin, begin + count) as one batch, without copying.
  std::shared_ptr<arrow::RecordBatch> Slice(uint64_t begin, uint64_t count) const {
    return rows_->Slice(static_cast<int64_t>(begin), static_cast<int64_t>(count));
  }
  std::string_view key(uint64_t event) const { return keys_->GetView(static_cast<int64_t>(event)); }
  int64_t updated_at(uint64_t event) const { return updated_at_->Value(static_cast<int64_t>(event)); }
  std::string_view status(uint64_t event) const { return status_->GetView(static_cast<int64_t>(event)); }

  /// The events of the flight of `event`, ascending.
  const std::vector<uint64_t>& EventsOfFlight(uint64_t event) const { return flights_.at(key(event)); }

 private:
  std::shared_ptr<arrow::RecordBatch> rows_;
  std::shared_ptr<arrow::StringArray> keys_, status_;
  std::shared_ptr<arrow::TimestampArray> updated_at_;
  std::unordered_map<std::string_view, std::vector<uint64_t>> flights_;
};

}  // namespace departure_board
