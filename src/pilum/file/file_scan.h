// SPDX-License-Identifier: Apache-2.0
//
// A file as a stream of batches.
#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>

#include "pilum/file/file_reader.h"

namespace pilum {

/// Rows [begin, end) in batches of `batch_size` rows, the last one smaller. Parts of about 8 MiB of file are
/// decoded ahead on Arrow's CPU pool. IndexError when the range leaves the file, Invalid for a batch size of
/// less than one.
arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> ScanFile(std::shared_ptr<FileReader> file,
                                                                  const FileProjection& projection,
                                                                  int64_t begin, int64_t end,
                                                                  int64_t batch_size);

}  // namespace pilum
