// SPDX-License-Identifier: Apache-2.0
//
// Replaces repeated values of a page by indices into its distinct ones. Spec: 11-encodings.md §4.6, §9.4,
// §9.6.
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pilum/encoding/encoding_options.h"
#include "pilum/encoding/leaf_values.h"
#include "pilum_proto/encodings_v2_1.pb.h"

namespace pilum {

/// The distinct values as `positions` of their first appearance, and one index per value.
struct DistinctValues {
  std::vector<int64_t> positions;
  std::vector<uint32_t> indices;
};

/// None when the values are too few, too distinct or of a type that is not worth it: strings and 128-bit
/// values always are, 64-bit ones when `wide_integers`.
std::optional<DistinctValues> FindDistinct(const LeafValues& values, const EncodingOptions& options,
                                           bool wide_integers);

/// The values at `positions`, in that order. Holds the bytes in `storage`.
LeafValues ValuesAt(const LeafValues& values, const std::vector<int64_t>& positions, std::string* storage);

/// The entries of a dictionary as one block. Integers are packed where that is smaller.
struct EncodedDictionary {
  lance::encodings21::CompressiveEncoding encoding;
  std::string block;
};
/// @param compress as the options ask, LZ4 by default; 2.1 files hold none.
arrow::Result<EncodedDictionary> EncodeDictionary(const LeafValues& entries, const EncodingOptions& options,
                                                  bool compress);

}  // namespace pilum
