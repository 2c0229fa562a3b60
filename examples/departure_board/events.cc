// SPDX-License-Identifier: Apache-2.0
#include "events.h"

#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>

#include <cstdio>
#include <cstdlib>

namespace departure_board {

arrow::Result<std::shared_ptr<arrow::Table>> ReadTable(const std::string& directory,
                                                       const std::string& name) {
  ARROW_ASSIGN_OR_RAISE(auto file,
                        arrow::io::MemoryMappedFile::Open(directory + "/" + name, arrow::io::FileMode::READ));
  ARROW_ASSIGN_OR_RAISE(auto reader, arrow::ipc::RecordBatchFileReader::Open(file));
  return reader->ToTable();
}

uint64_t CountEvents(const std::string& directory) {
  const auto table = ReadTable(directory, "events.arrow");
  if (!table.ok()) {
    std::fprintf(stderr, "%s\n", table.status().message().c_str());
    std::exit(1);
  }
  return static_cast<uint64_t>((*table)->num_rows());
}

arrow::Result<EventLog> EventLog::Load(const std::string& directory) {
  ARROW_ASSIGN_OR_RAISE(const auto table, ReadTable(directory, "events.arrow"));
  EventLog log;
  ARROW_ASSIGN_OR_RAISE(log.rows_, table->CombineChunksToBatch());
  log.keys_ = std::static_pointer_cast<arrow::StringArray>(log.rows_->GetColumnByName("key"));
  log.status_ = std::static_pointer_cast<arrow::StringArray>(log.rows_->GetColumnByName("status"));
  log.updated_at_ = std::static_pointer_cast<arrow::TimestampArray>(log.rows_->GetColumnByName("updated_at"));
  for (uint64_t event = 0; event < log.size(); ++event) log.flights_[log.key(event)].push_back(event);
  return log;
}

}  // namespace departure_board
