// SPDX-License-Identifier: Apache-2.0
//
// Turns the values of one column into the buffers and the layout message of a page. Spec: 11-encodings.md §4
// to §6, §9, §18.
#pragma once

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/memory_pool.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "pilum/encoding/encoding_options.h"
#include "pilum/encoding/leaf_values.h"
#include "pilum/encoding/levels.h"
#include "pilum/encoding/page_buffer.h"
#include "pilum_proto/encodings_v2_0.pb.h"
#include "pilum_proto/encodings_v2_1.pb.h"

namespace pilum {

/// A page as it goes to a file: `buffers` in order, each to be aligned by the file.
struct EncodedPage {
  std::vector<PageBuffer> buffers;
  lance::encodings21::PageLayout layout;
};

/// What the version of the file allows.
struct PageFormat {
  /// 2.2: 32-bit chunk words, run-length levels, constant pages, compressed dictionaries. Readers of 2.1
  /// refuse all of these, readers of 2.2 ask for the words.
  bool v2_2 = false;
};

/// Encodes one value per visible slot of `levels`. Repeated values go to a dictionary, narrow ones to
/// mini-blocks, values of 256 bytes and more to full-zip; only nulls to a page without values. NotImplemented
/// names what the version cannot hold.
arrow::Result<EncodedPage> EncodePage(const LeafValues& values, const Levels& levels,
                                      const EncodingOptions& options, PageFormat format);
/// All of `array`, which is not nested.
arrow::Result<EncodedPage> EncodePage(const arrow::ArrayData& array, const EncodingOptions& options,
                                      PageFormat format, arrow::MemoryPool* pool);

// One per layout; called by EncodePage.
arrow::Result<EncodedPage> EncodeMiniBlockPage(const LeafValues& values, const Levels& levels,
                                               const EncodingOptions& options, PageFormat format);
arrow::Result<EncodedPage> EncodeFullZipPage(const LeafValues& values, const Levels& levels,
                                             const EncodingOptions& options);
/// Levels, and the value that all valid slots have; `value` < 0: there is none, every value is null.
arrow::Result<EncodedPage> EncodeConstantPage(const LeafValues& values, int64_t value, const Levels& levels,
                                              PageFormat format);

/// Mini-block with a dictionary that is there already: the indices are the values. At least one entry.
arrow::Result<EncodedPage> EncodeDictionaryPage(const LeafValues& indices, const LeafValues& entries,
                                                const Levels& levels, const EncodingOptions& options,
                                                PageFormat format);

/// A page of version 2.0.
struct EncodedPageV2_0 {
  std::vector<PageBuffer> buffers;
  lance::encodings::ArrayEncoding encoding;
};

/// Encodes all of `array` for a 2.0 file: flat values, strings as ends and text or with a dictionary, nulls
/// as bitmaps.
arrow::Result<EncodedPageV2_0> EncodePageV2_0(const arrow::ArrayData& array, const EncodingOptions& options,
                                              arrow::MemoryPool* pool);

}  // namespace pilum
