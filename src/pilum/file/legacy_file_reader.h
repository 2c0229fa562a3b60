// SPDX-License-Identifier: Apache-2.0
//
// Data files of version 0.1, which are read and never written. Spec: 10-file.md §10.
//
//   [ pages | page table | statistics | dictionary entries | manifest with the schema | metadata | tail ]
//
// Rows come in batches. Each field has a page per batch: the page table lists (position, length) of all pages
// of the smallest field id, then of the next one, and so on. Structs have none. Statistics are not read: they
// were made of values that are no longer there, since nulls are not stored.
#pragma once

#include <arrow/result.h>

#include <memory>

#include "pilum/file/file_reader.h"
#include "pilum/file/footer.h"

namespace pilum {

/// @param tail of `object`.
arrow::Result<std::shared_ptr<FileReader>> OpenLegacyFile(std::shared_ptr<ReadableObject> object,
                                                          const FileTail& tail);

}  // namespace pilum
