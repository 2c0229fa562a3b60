// SPDX-License-Identifier: Apache-2.0
//
// One entry of the write-ahead log: an Arrow IPC stream. Spec: 40-memwal-write.md §8.
#pragma once

#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <string_view>

namespace pilum {

struct WalEntry {
  uint64_t writer_epoch = 0;
  /// Empty for a fence sentinel. Their schema has no trace of the epoch.
  arrow::RecordBatchVector batches;
};

/// @param batches one or more, none empty, of one schema.
arrow::Result<std::shared_ptr<arrow::Buffer>> SerializeWalEntry(const arrow::RecordBatchVector& batches,
                                                                uint64_t writer_epoch);
/// An entry without rows that takes a position, so that an older writer's append to it collides.
arrow::Result<std::shared_ptr<arrow::Buffer>> SerializeFenceSentinel(uint64_t writer_epoch);

/// @param path for messages: what does not parse is kCorruptFile.
arrow::Result<WalEntry> ParseWalEntry(const std::shared_ptr<arrow::Buffer>& bytes, std::string_view path);

}  // namespace pilum
