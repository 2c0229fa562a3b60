// SPDX-License-Identifier: Apache-2.0
#include "pilum/dataset/session.h"

namespace pilum {

namespace {

constexpr int64_t kOpenIndexBytes = 1 << 20;

}  // namespace

arrow::Result<std::shared_ptr<FileReader>> Session::OpenFile(const StoreLocation& location,
                                                             const std::string& path, int64_t size) {
  const std::string key = JoinPath(location.uri, path);
  if (const auto open = files_.Get(key)) {
    if (open->reader->memory_bytes() != open->cost) Keep(key, open->reader);
    return open->reader;
  }
  ARROW_ASSIGN_OR_RAISE(auto object, location.store->Open(path, size));
  ARROW_ASSIGN_OR_RAISE(auto reader, FileReader::Open(std::move(object)));
  Keep(key, reader);
  return reader;
}

void Session::Keep(const std::string& key, const std::shared_ptr<FileReader>& reader) {
  const int64_t cost = reader->memory_bytes();
  files_.Put(key, std::make_shared<const File>(File{reader, cost}), cost);
}

arrow::Result<std::shared_ptr<const DeletionVector>> Session::OpenDeletions(
    const StoreLocation& location, const lance::table::DataFragment& fragment) {
  if (!fragment.has_deletion_file()) return nullptr;
  const auto& file = fragment.deletion_file();
  const std::string key = location.uri + "#" + std::to_string(fragment.id()) + "-" +
                          std::to_string(file.read_version()) + "-" + std::to_string(file.id()) + "-" +
                          std::to_string(fragment.physical_rows());
  if (auto open = deletions_.Get(key)) return open;
  ARROW_ASSIGN_OR_RAISE(auto read, ReadDeletionVector(*location.store, fragment));
  deletions_.Put(key, read, static_cast<int64_t>(sizeof(DeletionVector) + read->getSizeInBytes()));
  return read;
}

arrow::Result<std::shared_ptr<BTreeIndex>> Session::OpenBTree(const StoreLocation& location,
                                                              const std::string& directory) {
  const std::string key = JoinPath(location.uri, directory);
  if (const auto open = indexes_.Get(key)) return open->index;
  ARROW_ASSIGN_OR_RAISE(auto index, BTreeIndex::Open(SubStore(location.store, directory)));
  indexes_.Put(key, std::make_shared<const Index>(Index{index}), kOpenIndexBytes);
  return index;
}

}  // namespace pilum
