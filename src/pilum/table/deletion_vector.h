// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <string>

#include <roaring/roaring.hh>

#include "pilum/io/object_store.h"
#include "pilum_proto/table.pb.h"

namespace pilum {

/// Offsets of the deleted rows of one fragment. Spec: 20-table.md §5.2.
using DeletionVector = Roaring;

/// Reads either kind of file (`.arrow`, `.bin`) of `fragment`; checks offsets against its physical rows
/// and their number against the manifest.
/// @return null if the fragment has no deletion file.
arrow::Result<std::shared_ptr<const DeletionVector>> ReadDeletionVector(
    ObjectStore& store, const lance::table::DataFragment& fragment);

enum class DeletionFileKind { kBySize, kBitmap };

/// Writes a new deletion file for `fragment_id` and returns its metadata. kBySize: up to 5000 offsets as
/// `.arrow`, more as `.bin`.
arrow::Result<lance::table::DeletionFile> WriteDeletionVector(ObjectStore& store, uint64_t fragment_id,
                                                              uint64_t read_version,
                                                              const DeletionVector& deleted,
                                                              DeletionFileKind kind, Durability durability);

}  // namespace pilum
