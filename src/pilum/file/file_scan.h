// SPDX-License-Identifier: Apache-2.0
//
// Rows of a file as a stream of batches.
#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <span>

#include "pilum/file/file_reader.h"

namespace pilum {

/// Rows [begin, end) in batches of `batch_size` rows, the last one smaller. Parts of about 8 MiB of file are
/// decoded ahead on Arrow's CPU pool. IndexError when the range leaves the file, Invalid for a batch size of
/// less than one.
arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> ScanFile(std::shared_ptr<FileReader> file,
                                                                  const FileProjection& projection,
                                                                  int64_t begin, int64_t end,
                                                                  int64_t batch_size);

/// These rows, ascending, repeats allowed, in batches of `batch_size`. IndexError for one that is not in the
/// file.
arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> TakeFromFile(FileReader& file,
                                                                      const FileProjection& projection,
                                                                      std::span<const int64_t> rows,
                                                                      int64_t batch_size);

}  // namespace pilum
