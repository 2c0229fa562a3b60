// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "latency_histogram.h"

namespace departure_board {

/// Where the answer of a lookup came from.
enum Tier { kMemTable, kGeneration, kBase, kNumTiers };

/// What the supervisor and the writing process share. It lies in memory that outlives the process that is
/// killed, so what had been acknowledged and measured until then is not lost. All zero at the start.
struct SharedBoard {
  std::atomic<uint64_t> num_acknowledged;  ///< events whose Put has returned
  std::atomic<uint64_t> num_issued;        ///< events whose Put was called; at most one batch more
  std::atomic<uint64_t> num_generations;   ///< flushed
  std::atomic<uint64_t> wal_bytes;
  std::atomic<uint64_t> put_nanoseconds;  ///< time inside Put
  std::atomic<uint64_t> stale;            ///< lookups that gave an older version than the acknowledged one
  std::atomic<uint64_t> invented;         ///< lookups that gave a version nobody had put yet
  std::atomic<uint64_t> missing;          ///< lookups of an acknowledged key that found nothing
  LatencyHistogram puts;
  LatencyHistogram lookups[kNumTiers];
};

/// Anonymous memory behind a file descriptor that a started program inherits.
class SharedMemory {
 public:
  /// Aborts the program when the system refuses: there is no example without it.
  SharedMemory();
  /// Maps the memory of the process that started this one.
  explicit SharedMemory(int inherited_descriptor);
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  int descriptor() const { return descriptor_; }
  SharedBoard& board() { return *board_; }

 private:
  void Map();
  int descriptor_ = -1;
  SharedBoard* board_ = nullptr;
};

}  // namespace departure_board
