// SPDX-License-Identifier: Apache-2.0
//
// What field metadata asks of the writer. Spec: 11-encodings.md §9.4, §9.5; 10-file.md §3.6.
#pragma once

#include <arrow/result.h>
#include <arrow/type.h>

#include <cstdint>
#include <optional>

namespace pilum {

/// A value; the defaults are those of a field without metadata.
struct EncodingOptions {
  enum class Compression : uint8_t { kDefault, kNone, kFsst, kLz4, kZstd };
  enum class Choice : uint8_t { kAuto, kOn, kOff };
  enum class Structure : uint8_t { kAuto, kMiniBlock, kFullZip };

  Compression compression = Compression::kDefault;
  std::optional<int> compression_level;
  Choice byte_stream_split = Choice::kAuto;
  std::optional<double> rle_threshold;  ///< run lengths only below this share of runs among values
  int64_t string_chunk_bytes = 4096;
  int64_t dictionary_divisor = 2;      ///< at most one distinct value for this many values
  double dictionary_size_ratio = 0.8;  ///< and at most this share of the plain size
  Compression dictionary_compression = Compression::kDefault;
  std::optional<int> dictionary_compression_level;
  Structure structure = Structure::kAuto;

  bool general() const { return compression == Compression::kLz4 || compression == Compression::kZstd; }

  /// @param leaf the field of the column; @param root its top-level field, whose metadata decides the
  /// structure. @param large_chunks whether the version has chunks of 32 KiB and more (2.2); without, a field
  /// that asks for them gets the default. Invalid names the field, the key and the value that has no meaning.
  static arrow::Result<EncodingOptions> Of(const arrow::Field& leaf, const arrow::Field& root,
                                           bool large_chunks);
};

}  // namespace pilum
