// SPDX-License-Identifier: Apache-2.0
//
// The metadata of one version of a table. Spec: 20-table.md §2, §4.
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pilum/file/format_version.h"
#include "pilum/file/schema.h"
#include "pilum_proto/table.pb.h"
#include "pilum_proto/transaction.pb.h"

namespace pilum {

/// Name of the system index entry that holds a table's MemWAL configuration and merge progress.
inline constexpr char kMemWalIndexName[] = "__lance_mem_wal";

/// Bits of Manifest.reader_feature_flags and writer_feature_flags (§4).
enum FeatureFlag : uint64_t {
  kFlagDeletionFiles = 1,
  kFlagStableRowIds = 2,
  kFlagV2Format = 4,  // deprecated: accepted, never written
  kFlagTableConfig = 8,
  kFlagBasePaths = 16,
  kFlagNoTransactionFile = 32,
  kAllKnownFlags = 63,
};

/// What this library calls itself in Manifest.writer_version.
inline constexpr char kLibraryName[] = "pilum";

/// How `_versions/` names its files (§3.1).
enum class ManifestNaming { kV1, kV2 };

/// One version of a table, as read. Immutable and shared; a commit makes a new one. The wire messages are the
/// model: a table of a hundred thousand fragments is decoded once.
struct Manifest {
  lance::table::Manifest proto;                          ///< fragments ascending by id
  lance::table::IndexSection indexes;                    ///< empty if there is none
  std::optional<lance::table::Transaction> transaction;  ///< that made this version, if inline and decodable
  std::shared_ptr<const Schema> schema;
  FormatVersion data_version = kStableFormatVersion;
  ManifestNaming naming = ManifestNaming::kV2;

  uint64_t version() const { return proto.version(); }
  const google::protobuf::RepeatedPtrField<lance::table::DataFragment>& fragments() const {
    return proto.fragments();
  }
  /// Fragment by id, or null.
  const lance::table::DataFragment* FindFragment(uint64_t id) const;
  /// Entry by name (the first segment), or null.
  const lance::table::IndexMetadata* FindIndex(std::string_view name) const;

  /// Parses a whole manifest file. Corrupt bytes are kCorruptFile with `path`; unknown reader flags
  /// kUnsupportedFeature.
  static arrow::Result<std::shared_ptr<const Manifest>> Parse(std::span<const uint8_t> file,
                                                              std::string_view path);
  /// The bytes of a manifest file: index section, inline transaction, manifest, tail. Sets the section
  /// offsets.
  std::string Serialize() const;
};

/// Invalid unless ids ascend and ids, rows and sizes are in the range that addresses and readers have for
/// them.
arrow::Status CheckFragments(const google::protobuf::RepeatedPtrField<lance::table::DataFragment>& fragments);

/// Live rows of a fragment from its metadata, or none if the deletion file does not say how many it holds.
std::optional<int64_t> NumLiveRows(const lance::table::DataFragment& fragment);

/// Unique among data files: 24 binary digits, 26 hexadecimal digits, ".lance" (§1).
std::string NewDataFileName();

}  // namespace pilum
