// SPDX-License-Identifier: Apache-2.0
//
// BlobFiles: where the values of blob columns go when a data file is written. Spec: 20-table.md §13.
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pilum/dataset/dataset.h"
#include "pilum/file/blob_writer.h"
#include "pilum/io/object_store.h"
#include "pilum/table/manifest.h"

namespace pilum {

/// Small values stay in the data file, larger ones share sidecar files, the largest have one each; values at
/// a URI stay there or are copied, as the options say. One thread.
class BlobFiles final : public BlobStorage {
 public:
  /// @param table the version that is written to, null for a new table
  /// @param options outlive this
  /// @param sidecars gets the paths of files that may exist from now on; outlives this
  BlobFiles(ObjectStore& store, std::string data_file, const Manifest* table, const WriteOptions& options,
            std::vector<std::string>* sidecars)
      : store_(store),
        data_file_(std::move(data_file)),
        table_(table),
        options_(options),
        sidecars_(sidecars) {}

  arrow::Result<BlobDescription> Store(const BlobValue& value, const arrow::Field& field,
                                       const AppendToFile& append) override;
  /// Makes all sidecars appear. Before the commit.
  arrow::Status Finish();

 private:
  class Input;  // a value's bytes: in memory, or in an object

  arrow::Result<BlobDescription> StoreInput(const Input& input, const arrow::Field& field,
                                            const AppendToFile& append);
  arrow::Result<BlobDescription> StorePacked(const Input& input);
  arrow::Result<BlobDescription> StoreDedicated(const Input& input);
  arrow::Result<BlobDescription> Refer(const BlobValue& value) const;
  arrow::Result<std::unique_ptr<WritableObject>> NewSidecar(uint32_t id);

  ObjectStore& store_;
  const std::string data_file_;
  const Manifest* const table_;
  const WriteOptions& options_;
  std::map<const arrow::Field*, BlobThresholds> thresholds_;
  uint32_t last_id_ = 0;
  std::unique_ptr<WritableObject> pack_;
  uint32_t pack_id_ = 0;
  std::vector<std::string>* const sidecars_;
};

}  // namespace pilum
