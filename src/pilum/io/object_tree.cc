// SPDX-License-Identifier: Apache-2.0
#include "pilum/io/object_tree.h"

#include <algorithm>

namespace pilum {

namespace {

constexpr int64_t kCopyBytes = int64_t{8} << 20;

arrow::Status AppendTree(ObjectStore& store, const std::string& folder, std::vector<std::string>* paths) {
  ARROW_ASSIGN_OR_RAISE(const Listing listing, store.List(folder));
  for (const ObjectInfo& object : listing.objects) paths->push_back(JoinPath(folder, object.name));
  for (const std::string& name : listing.directories) {
    ARROW_RETURN_NOT_OK(AppendTree(store, JoinPath(folder, name), paths));
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<std::vector<std::string>> ListTree(ObjectStore& store, const std::string& folder) {
  std::vector<std::string> paths;
  if (!folder.empty()) {
    ARROW_ASSIGN_OR_RAISE(const bool is_object, store.Exists(folder));
    if (is_object) return paths;
  }
  ARROW_RETURN_NOT_OK(AppendTree(store, folder, &paths));
  std::sort(paths.begin(), paths.end());
  return paths;
}

arrow::Status AppendRange(ReadableObject& from, ByteRange range, WritableObject* to) {
  for (int64_t at = 0; at < range.length; at += kCopyBytes) {
    ARROW_ASSIGN_OR_RAISE(const auto bytes,
                          from.Read({range.offset + at, std::min(kCopyBytes, range.length - at)}));
    ARROW_RETURN_NOT_OK(to->Append(AsSpan(*bytes)));
  }
  return arrow::Status::OK();
}

arrow::Status CopyObject(ObjectStore& from, const std::string& from_path, ObjectStore& to,
                         const std::string& to_path, Durability durability) {
  ARROW_ASSIGN_OR_RAISE(const auto source, from.Open(from_path));
  ARROW_ASSIGN_OR_RAISE(const auto sink, to.Create(to_path, durability));
  ARROW_RETURN_NOT_OK(AppendRange(*source, {0, source->size()}, sink.get()));
  return sink->Close();
}

}  // namespace pilum
