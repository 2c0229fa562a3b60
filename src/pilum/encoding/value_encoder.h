// SPDX-License-Identifier: Apache-2.0
//
// Values of a page as chunks of a few KiB, in the smallest encoding that fits them. Spec: 11-encodings.md §8,
// §9.5, §9.6.
#pragma once

#include <arrow/buffer.h>
#include <arrow/result.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pilum/encoding/encoding_options.h"
#include "pilum/encoding/leaf_values.h"
#include "pilum_proto/encodings_v2_1.pb.h"

namespace pilum {

/// The values of one chunk; all chunks but the last hold a power of two of them, at least two.
struct EncodedChunk {
  int64_t num_values = 0;
  std::vector<std::span<const uint8_t>> buffers;  ///< in EncodedValues::storage, or in what was encoded
};

/// Chunks that are not copied before they are assembled: the values that were encoded must outlive them.
struct EncodedValues {
  lance::encodings21::CompressiveEncoding encoding;
  size_t num_buffers = 1;  ///< per chunk
  std::vector<EncodedChunk> chunks;
  std::deque<std::string> storage;

  EncodedValues() = default;
  EncodedValues(EncodedValues&&) = default;
  EncodedValues& operator=(EncodedValues&&) = default;

  std::span<const uint8_t> Keep(std::string bytes);
};

/// Fixed-width values (also keys and indices): flat, bit-packed, run-length or byte-stream split; vectors
/// flat.
arrow::Result<EncodedValues> EncodeFixedChunks(const LeafValues& values, const EncodingOptions& options);

/// Strings: offsets and text, or FSST codes of the text.
arrow::Result<EncodedValues> EncodeStringChunks(const LeafValues& values, const EncodingOptions& options);

/// Compresses the first buffer of every chunk as the options ask, if that makes them smaller.
arrow::Status CompressChunks(const EncodingOptions& options, EncodedValues* values);

/// The message of flat values of the column's type: FixedSizeList for each dimension, then Flat.
lance::encodings21::CompressiveEncoding FlatEncoding(const LeafValues& values);
/// Values [begin, begin + count) where they are, if they begin and end there with a byte.
std::optional<std::span<const uint8_t>> FlatView(const LeafValues& values, int64_t begin, int64_t count);
/// The same as a buffer that starts with the first of them.
std::string FlatBytes(const LeafValues& values, int64_t begin, int64_t count);
/// All values. Shares the memory of the array where it can.
std::shared_ptr<arrow::Buffer> FlatBuffer(const LeafValues& values);
/// Validity bits of the items of values [begin, begin + count) at dimension `level`.
std::string ItemBits(const LeafValues& values, size_t level, int64_t begin, int64_t count);

/// Whether upstream would use FSST: text that is long and plenty, not asked to be stored otherwise.
bool UseFsst(const LeafValues& values, const EncodingOptions& options);

}  // namespace pilum
