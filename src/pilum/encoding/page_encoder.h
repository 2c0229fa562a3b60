// SPDX-License-Identifier: Apache-2.0
//
// Turns the values of one column into the buffers and the layout message of a page. Spec: 11-encodings.md §9,
// §18.
#pragma once

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/memory_pool.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "pilum_proto/encodings_v2_0.pb.h"
#include "pilum_proto/encodings_v2_1.pb.h"

namespace pilum {

/// A page as it goes to a file: `buffers` in order, each to be aligned by the file.
struct EncodedPage {
  std::vector<std::shared_ptr<arrow::Buffer>> buffers;
  lance::encodings21::PageLayout layout;
};

/// How version 2.1 and 2.2 differ for the pages written here.
struct PageFormat {
  bool large_chunks = false;  ///< 2.2: 32-bit chunk words and buffer sizes
};

/// Encodes all of `array` (at least one row; not nested). Narrow values go to mini-blocks, flat or
/// bit-packed, whichever is smaller; values of 256 bytes and more to full-zip; only nulls to a page without
/// buffers. NotImplemented names a type that is not supported.
arrow::Result<EncodedPage> EncodePage(const arrow::ArrayData& array, PageFormat format,
                                      arrow::MemoryPool* pool);

/// A page of version 2.0.
struct EncodedPageV2_0 {
  std::vector<std::shared_ptr<arrow::Buffer>> buffers;
  lance::encodings::ArrayEncoding encoding;
};

/// Encodes all of `array` for a 2.0 file: flat values, strings as ends and text, nulls as bitmaps.
arrow::Result<EncodedPageV2_0> EncodePageV2_0(const arrow::ArrayData& array, arrow::MemoryPool* pool);

}  // namespace pilum
