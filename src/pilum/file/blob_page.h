// SPDX-License-Identifier: Apache-2.0
//
// Pages of blobs: the values lie anywhere in the file, the page says where. Spec: 11-encodings.md §7.1,
// 10-file.md §9.12.
#pragma once

#include <arrow/memory_pool.h>
#include <arrow/result.h>

#include <memory>

#include "pilum/encoding/leaf_type.h"
#include "pilum/file/page_reader.h"
#include "pilum_proto/encodings_v2_0.pb.h"
#include "pilum_proto/encodings_v2_1.pb.h"

namespace pilum {

/// A page of version 2.1, read as bytes (one exact read each) or as descriptions, whichever the column's type
/// is. NotImplemented inside of lists.
arrow::Result<std::unique_ptr<PageReader>> MakeBlobPage(PageDescription page,
                                                        const lance::encodings21::BlobLayout& layout,
                                                        const LeafColumn& column, arrow::MemoryPool* pool);
/// The bytes of a page of version 2.0. Descriptions are what it stores: packed structs, nulls at position 1.
arrow::Result<std::unique_ptr<PageReader>> MakeBlobPageV2_0(PageDescription page,
                                                            const lance::encodings::ArrayEncoding& encoding,
                                                            const LeafType& type, arrow::MemoryPool* pool);

}  // namespace pilum
