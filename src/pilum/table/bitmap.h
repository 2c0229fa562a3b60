// SPDX-License-Identifier: Apache-2.0
//
// Roaring bitmaps as deletion files and index entries hold them. Spec: 20-table.md.
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <span>
#include <string>

#include <roaring/roaring.hh>

#include "pilum_proto/table.pb.h"

namespace pilum {

/// A bitmap in the portable form of Roaring. The library believes what containers say about themselves: one
/// that announces fewer values than it has is written behind the end of a buffer of that many. So keys,
/// counts, values and runs are checked before it sees the bytes. Invalid says what is wrong.
arrow::Result<Roaring> ParseBitmap(std::span<const uint8_t> bytes);

/// The fragments an index covers. Damage names the index.
arrow::Result<Roaring> ParseFragmentBitmap(const lance::table::IndexMetadata& index);

/// The bytes of `bitmap` in that form.
std::string SerializeBitmap(const Roaring& bitmap);

}  // namespace pilum
