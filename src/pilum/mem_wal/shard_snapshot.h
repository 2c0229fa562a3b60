// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "pilum/util/uuid.h"

namespace pilum {

/// A flushed generation: a small Lance table in the folder `path` of its shard.
struct FlushedGeneration {
  uint64_t generation = 0;
  std::string path;

  bool operator==(const FlushedGeneration&) const = default;
};

/// The generations of one shard that a reader is to see. Spec: 41-memwal-read.md §1, §2.
class ShardSnapshot {
 public:
  explicit ShardSnapshot(const Uuid& shard_id) : shard_id_(shard_id) {}

  ShardSnapshot& with_spec_id(uint32_t spec_id) {
    spec_id_ = spec_id;
    return *this;
  }
  ShardSnapshot& with_current_generation(uint64_t generation) {
    current_generation_ = generation;
    return *this;
  }
  ShardSnapshot& with_flushed_generation(uint64_t generation, std::string path) {
    flushed_generations_.push_back({generation, std::move(path)});
    return *this;
  }

  const Uuid& shard_id() const { return shard_id_; }
  uint32_t spec_id() const { return spec_id_; }
  uint64_t current_generation() const { return current_generation_; }
  const std::vector<FlushedGeneration>& flushed_generations() const { return flushed_generations_; }

 private:
  Uuid shard_id_;
  uint32_t spec_id_ = 0;
  uint64_t current_generation_ = 1;
  std::vector<FlushedGeneration> flushed_generations_;
};

}  // namespace pilum
