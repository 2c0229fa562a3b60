// SPDX-License-Identifier: Apache-2.0
//
// Whole folders and whole objects.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <string>
#include <vector>

#include "pilum/io/object_store.h"

namespace pilum {

/// The objects in `folder` and in the folders below it, as paths from the root of the store, in order. Empty
/// when there is no such folder; an object is not one.
arrow::Result<std::vector<std::string>> ListTree(ObjectStore& store, const std::string& folder);

/// Appends bytes `range` of `from`, a few MiB in memory at a time.
arrow::Status AppendRange(ReadableObject& from, ByteRange range, WritableObject* to);

/// Creates or replaces `to_path` with the bytes of `from_path`. A failure leaves what was there.
arrow::Status CopyObject(ObjectStore& from, const std::string& from_path, ObjectStore& to,
                         const std::string& to_path, Durability durability);

}  // namespace pilum
