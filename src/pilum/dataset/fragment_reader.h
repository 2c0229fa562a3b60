// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "pilum/dataset/projection.h"
#include "pilum/dataset/session.h"
#include "pilum/table/manifest.h"

namespace pilum {

/// The file of a fragment that holds the column of field `id`, and that column's number there
/// (FileProjection); {null, -1} if none does: its values are null.
std::pair<const lance::table::DataFile*, int32_t> FindColumn(const lance::table::DataFragment& fragment,
                                                             int32_t id, FormatVersion version);

/// Rows of one fragment by their offset in it, deleted ones included: the columns of all its data files side
/// by side, nulls where no file has a column. Any thread; all work is done on the caller's.
class FragmentReader {
 public:
  /// @param session, location, manifest and its fragment outlive the reader.
  FragmentReader(Session& session, const StoreLocation& location, const Manifest& manifest,
                 const lance::table::DataFragment& fragment)
      : session_(session), location_(location), manifest_(manifest), fragment_(fragment) {}

  uint64_t id() const { return fragment_.id(); }
  int64_t physical_rows() const { return static_cast<int64_t>(fragment_.physical_rows()); }
  uint64_t AddressOf(int64_t offset) const { return (fragment_.id() << 32) | static_cast<uint64_t>(offset); }

  /// Null if no row is deleted.
  arrow::Result<std::shared_ptr<const DeletionVector>> Deletions() const {
    return session_.OpenDeletions(location_, fragment_);
  }

  /// Rows [begin, end).
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> ReadRange(const Projection& projection, int64_t begin,
                                                               int64_t end, arrow::MemoryPool* pool) const;
  /// These rows, ascending without repeats.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Take(const Projection& projection,
                                                          std::span<const int64_t> offsets,
                                                          arrow::MemoryPool* pool) const;

 private:
  struct Group;
  template <typename Read, typename Offset>
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Assemble(const Projection& projection, int64_t num_rows,
                                                              const Read& read, const Offset& offset_of,
                                                              arrow::MemoryPool* pool) const;
  arrow::Result<std::vector<Group>> GroupByFile(const Projection& projection) const;
  arrow::Result<std::shared_ptr<FileReader>> OpenFile(const lance::table::DataFile& file) const;

  Session& session_;
  const StoreLocation& location_;
  const Manifest& manifest_;
  const lance::table::DataFragment& fragment_;
};

}  // namespace pilum
