// SPDX-License-Identifier: Apache-2.0
//
// BTree index files: a sorted list of (value, row id) pairs cut into pages, and a lookup table of the pages'
// bounds. Serves a table's BTREE indexes and the `_pk_index` of flushed generations. Spec: 30-scalar-index.md
// (BTree), 40 §15 step 7.
#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/scalar.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pilum/file/format_version.h"
#include "pilum/io/object_store.h"

namespace pilum {

/// An open index. Immutable; any thread. Pages are decoded on first use and kept in a byte-bounded cache of
/// its own.
class BTreeIndex {
 public:
  /// @param directory rooted at the folder that holds page_lookup.lance and page_data.lance.
  static arrow::Result<std::shared_ptr<BTreeIndex>> Open(std::shared_ptr<ObjectStore> directory);
  virtual ~BTreeIndex() = default;

  virtual const std::shared_ptr<arrow::DataType>& value_type() const = 0;
  virtual int64_t num_pages() const = 0;

  /// Ids of the rows whose value equals `value`, ascending, without repeats; the caller's type must be
  /// value_type(). Null values match nothing. Reads at most the pages whose bounds hold the value.
  virtual arrow::Result<std::vector<uint64_t>> Lookup(const arrow::Scalar& value) = 0;
  /// One result per element of `values`; each page is read once.
  virtual arrow::Result<std::vector<std::vector<uint64_t>>> LookupMany(const arrow::Array& values) = 0;
  /// All ids, ascending without repeats. Reads the whole index.
  virtual arrow::Result<std::vector<uint64_t>> AllIds() = 0;
};

struct BTreeIndexFile {
  std::string path;
  int64_t size_bytes = 0;
};

struct BTreeWriteOptions {
  int64_t page_rows = 4096;  ///< 8192 for `_pk_index`
  FormatVersion version = FormatVersion::k2_0;
  Durability durability = Durability::kPowerLoss;
};

/// Writes page_data.lance and page_lookup.lance into `directory`.
/// @param sorted batches of (`values`: any type, `ids`: uint64), ascending by (value, id), nulls first.
arrow::Result<std::vector<BTreeIndexFile>> WriteBTreeIndex(ObjectStore& directory,
                                                           const std::shared_ptr<arrow::DataType>& value_type,
                                                           const arrow::RecordBatchVector& sorted,
                                                           const BTreeWriteOptions& options);

}  // namespace pilum
