// SPDX-License-Identifier: Apache-2.0
//
// From rows to shard keys. Spec: 40-memwal-write.md §6.
#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <string_view>

#include "pilum/file/schema.h"
#include "pilum_proto/table.pb.h"

namespace pilum {

/// The shard key of each row of `batch`: one column per field of `spec`, named by its field_id. Which shard a
/// key belongs to is the application's to say.
///
///   transform    column                                        source
///   bucket       int32, not null: hash % `num_buckets`         parameter `column`, else source_ids[0]
///   identity     the source                                    the same
///   unsharded    int32, not null: 0                            none
///
/// A source is a dotted path; `batch` has a column of that very name, or structs down to it.
///
/// Invalid names the field and what is wrong with it: no fields, another transform, a num_buckets that is no
/// positive int32, a source that is missing here or in `schema`, a type that cannot be bucketed.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> EvaluateShardingSpec(
    const std::shared_ptr<arrow::RecordBatch>& batch, const lance::table::ShardingSpec& spec,
    const Schema& schema);

namespace internal {

/// Murmur3 x86_32 with seed 0 as Spark computes it: integers of 32 bits as one word, of 64 bits as two, and
/// the bytes behind the last whole word of a string one by one, sign extended. Not the hash of Iceberg.
uint32_t HashInt32(uint32_t value);
uint32_t HashInt64(uint64_t value);
uint32_t HashBytes(std::string_view bytes);

/// Bucket of each value, 0 for nulls. @param num_buckets positive. Invalid: a type that cannot be bucketed.
arrow::Result<std::shared_ptr<arrow::Array>> ComputeBuckets(const arrow::Array& values, int32_t num_buckets);

}  // namespace internal

}  // namespace pilum
