// SPDX-License-Identifier: Apache-2.0
#include "pilum/io/object_store.h"

#include <arrow/util/io_util.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "pilum/io/local_store.h"
#include "pilum/io/memory_store.h"
#include "pilum/io/readable_base.h"
#include "pilum/util/error.h"

namespace pilum {

bool IsNotFound(const arrow::Status& status) { return arrow::internal::ErrnoFromStatus(status) == ENOENT; }

arrow::Status NotFound(std::string_view described_path) {
  return arrow::internal::StatusFromErrno(ENOENT, arrow::StatusCode::IOError, "'", described_path,
                                          "' was not found");
}

std::string JoinPath(std::string_view base, std::string_view name) {
  if (base.empty()) return std::string(name);
  if (name.empty()) return std::string(base);
  return std::string(base) + "/" + std::string(name);
}

arrow::Status CoalescingReadable::Check(ByteRange range) const {
  if (range.offset >= 0 && range.length >= 0 && range.offset <= size() &&
      range.length <= size() - range.offset) {
    return arrow::Status::OK();
  }
  return CorruptFile(
      path(), range.offset,
      std::to_string(range.length) + " bytes were asked for, the file has " + std::to_string(size()));
}

arrow::Result<std::shared_ptr<arrow::Buffer>> CoalescingReadable::Read(ByteRange range) {
  ARROW_RETURN_NOT_OK(Check(range));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer, arrow::AllocateBuffer(range.length));
  ARROW_RETURN_NOT_OK(ReadChecked(range, buffer->mutable_data()));
  return buffer;
}

namespace {

/// Requests side by side in memory, where each is aligned as it is in the object.
constexpr int64_t kAlignment = 64;

struct PlacedRequest {
  ByteRange range;
  int64_t position;  // in the memory
};

int64_t Place(const std::vector<ByteRange>& requests, std::vector<PlacedRequest>* placed) {
  int64_t end = 0;
  placed->reserve(requests.size());
  for (const ByteRange& request : requests) {
    const int64_t position = (end + kAlignment - 1) / kAlignment * kAlignment + request.offset % kAlignment;
    placed->push_back({request, position});
    end = position + request.length;
  }
  return end;
}

}  // namespace

arrow::Result<RangeBytes> CoalescingReadable::ReadMany(std::span<const ByteRange> ranges) {
  for (const ByteRange& range : ranges) ARROW_RETURN_NOT_OK(Check(range));
  // One allocation holds all: nothing is gained by splitting a large request.
  const CoalesceLimits whole{limits_.max_gap, std::max(limits_.max_request, size())};
  std::vector<PlacedRequest> requests;
  const int64_t num_bytes = Place(CoalesceRanges(ranges, whole), &requests);
  RangeBytes result;
  ARROW_ASSIGN_OR_RAISE(result.memory, arrow::AllocateBuffer(num_bytes));
  uint8_t* const memory = result.memory->mutable_data();
  for (const PlacedRequest& request : requests) {
    ARROW_RETURN_NOT_OK(ReadChecked(request.range, memory + request.position));
  }
  result.ranges.reserve(ranges.size());
  auto request = requests.begin();  // of the range at hand: mostly the last one's, or the next
  for (const ByteRange& range : ranges) {
    if (range.length == 0) {
      result.ranges.emplace_back();
      continue;
    }
    const auto holds = [&] {
      return range.offset >= request->range.offset && range.end() <= request->range.end();
    };
    if (!holds() && (++request == requests.end() || !holds())) {
      request = std::prev(
          std::upper_bound(requests.begin(), requests.end(), range.offset,
                           [](int64_t offset, const PlacedRequest& r) { return offset < r.range.offset; }));
    }
    result.ranges.emplace_back(memory + request->position + (range.offset - request->range.offset),
                               static_cast<size_t>(range.length));
  }
  return result;
}

namespace {

/// A store seen from a folder inside it.
class PrefixedStore final : public ObjectStore {
 public:
  PrefixedStore(std::shared_ptr<ObjectStore> store, std::string prefix)
      : store_(std::move(store)), prefix_(std::move(prefix)) {}

  std::string Describe(std::string_view path) const override {
    return store_->Describe(JoinPath(prefix_, path));
  }
  arrow::Result<std::shared_ptr<ReadableObject>> Open(const std::string& path, int64_t known_size) override {
    return store_->Open(JoinPath(prefix_, path), known_size);
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Get(const std::string& path) override {
    return store_->Get(JoinPath(prefix_, path));
  }
  arrow::Result<bool> Exists(const std::string& path) override {
    return store_->Exists(JoinPath(prefix_, path));
  }
  arrow::Result<std::unique_ptr<WritableObject>> Create(const std::string& path,
                                                        Durability durability) override {
    return store_->Create(JoinPath(prefix_, path), durability);
  }
  arrow::Status Put(const std::string& path, std::span<const uint8_t> bytes, Durability durability) override {
    return store_->Put(JoinPath(prefix_, path), bytes, durability);
  }
  arrow::Status PutIfAbsent(const std::string& path, std::span<const uint8_t> bytes,
                            Durability durability) override {
    return store_->PutIfAbsent(JoinPath(prefix_, path), bytes, durability);
  }
  arrow::Result<Listing> List(const std::string& directory) override {
    return store_->List(JoinPath(prefix_, directory));
  }
  arrow::Status Delete(const std::string& path) override { return store_->Delete(JoinPath(prefix_, path)); }
  bool list_is_lexically_ordered() const override { return store_->list_is_lexically_ordered(); }

 private:
  const std::shared_ptr<ObjectStore> store_;
  const std::string prefix_;
};

std::string ExpandHome(const std::string& path) {
  const char* home = std::getenv("HOME");
  if (home == nullptr || (path != "~" && !path.starts_with("~/"))) return path;
  return home + path.substr(1);
}

}  // namespace

std::shared_ptr<ObjectStore> SubStore(std::shared_ptr<ObjectStore> store, std::string prefix) {
  return std::make_shared<PrefixedStore>(std::move(store), std::move(prefix));
}

std::string LocalPathOf(const std::string& uri) {
  constexpr std::string_view kScheme = "file://";
  if (!uri.starts_with(kScheme)) return uri;
  std::string path;
  for (size_t i = kScheme.size(); i < uri.size(); ++i) {
    unsigned char byte = 0;
    const char* digits = uri.data() + i + 1;
    if (uri[i] == '%' && i + 2 < uri.size() &&
        std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      path += static_cast<char>(byte);
      i += 2;
    } else {
      path += uri[i];
    }
  }
  return std::filesystem::path(path).lexically_normal().string();
}

arrow::Result<StoreLocation> ResolveUri(const std::string& uri) {
  if (uri.empty()) return arrow::Status::Invalid("The location of a table is empty");
  std::string trimmed = uri;
  while (trimmed.size() > 1 && trimmed.ends_with('/')) trimmed.pop_back();
  const size_t scheme_end = trimmed.find("://");
  if (scheme_end == std::string::npos) {
    std::error_code error;
    const auto path = std::filesystem::absolute(ExpandHome(trimmed), error).lexically_normal();
    if (error) return arrow::Status::Invalid("Cannot make '", uri, "' an absolute path: ", error.message());
    return StoreLocation{MakeLocalStore(path.string()), trimmed};
  }
  const std::string scheme = trimmed.substr(0, scheme_end);
  const std::string rest = trimmed.substr(scheme_end + 3);
  if (scheme == "file") return StoreLocation{MakeLocalStore(LocalPathOf(trimmed)), trimmed};
  if (scheme == "memory") return StoreLocation{SubStore(SharedMemoryStore(), rest), trimmed};
  return arrow::Status::Invalid("'", uri, "': unknown scheme '", scheme,
                                "'; known are: file, memory, a local path");
}

arrow::Result<ObjectLocation> ResolveObject(const std::string& uri) {
  const std::string path = LocalPathOf(uri);
  const size_t slash = path.rfind('/');
  std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (name.empty()) return arrow::Status::Invalid("'", uri, "' does not name a file");
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, std::max<size_t>(slash, 1));
  ARROW_ASSIGN_OR_RAISE(auto location, ResolveUri(folder));
  return ObjectLocation{std::move(location.store), std::move(name)};
}

}  // namespace pilum
