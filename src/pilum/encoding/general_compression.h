// SPDX-License-Identifier: Apache-2.0
//
// LZ4 and Zstd as the format frames them: the uncompressed size, then the block. Spec: 11-encodings.md §8.10.
#pragma once

#include <arrow/buffer.h>
#include <arrow/memory_pool.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "pilum_proto/encodings_v2_1.pb.h"

namespace pilum {

/// Invalid for damaged input, NotImplemented for unknown schemes.
arrow::Result<std::shared_ptr<arrow::Buffer>> Decompress(lance::encodings21::CompressionScheme scheme,
                                                         std::span<const uint8_t> compressed,
                                                         arrow::MemoryPool* pool);

/// The opposite. @param level of zstd; none: its default.
arrow::Result<std::string> Compress(lance::encodings21::CompressionScheme scheme, std::optional<int> level,
                                    std::span<const uint8_t> bytes);

}  // namespace pilum
