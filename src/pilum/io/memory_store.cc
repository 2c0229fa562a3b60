// SPDX-License-Identifier: Apache-2.0
#include "pilum/io/memory_store.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include "pilum/io/readable_base.h"

namespace pilum {

namespace {

struct StoredObject {
  std::shared_ptr<arrow::Buffer> bytes;
  int64_t modified_ns = 0;
};

/// Shared by the store and its writers in progress.
struct Objects {
  std::mutex mutex;
  std::map<std::string, StoredObject, std::less<>> by_path;

  arrow::Status Put(const std::string& path, std::string bytes, bool may_replace) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    StoredObject object{arrow::Buffer::FromString(std::move(bytes)),
                        std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()};
    std::lock_guard lock(mutex);
    const auto [it, inserted] = by_path.try_emplace(path, object);
    if (!inserted && !may_replace)
      return arrow::Status::AlreadyExists("'memory://", path, "' already exists");
    it->second = std::move(object);
    return arrow::Status::OK();
  }
};

class MemoryReadable final : public CoalescingReadable {
 public:
  MemoryReadable(std::shared_ptr<arrow::Buffer> bytes, std::string path)
      : CoalescingReadable(CoalesceLimits{}), bytes_(std::move(bytes)), path_(std::move(path)) {}
  const std::string& path() const override { return path_; }
  int64_t size() const override { return bytes_->size(); }

 protected:
  arrow::Status ReadChecked(ByteRange range, uint8_t* out) override {
    if (range.length > 0) std::memcpy(out, bytes_->data() + range.offset, static_cast<size_t>(range.length));
    return arrow::Status::OK();
  }

 private:
  const std::shared_ptr<arrow::Buffer> bytes_;
  const std::string path_;
};

class MemoryWritable final : public WritableObject {
 public:
  MemoryWritable(std::shared_ptr<Objects> objects, std::string path)
      : objects_(std::move(objects)), path_(std::move(path)) {}
  arrow::Status AppendPieces(std::span<const std::span<const uint8_t>> pieces) override {
    for (const auto piece : pieces) bytes_.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    return arrow::Status::OK();
  }
  int64_t position() const override { return static_cast<int64_t>(bytes_.size()); }
  arrow::Status Close() override { return objects_->Put(path_, std::move(bytes_), /*may_replace=*/true); }

 private:
  const std::shared_ptr<Objects> objects_;
  const std::string path_;
  std::string bytes_;
};

class MemoryStore final : public ObjectStore {
 public:
  std::string Describe(std::string_view path) const override { return "memory://" + std::string(path); }

  arrow::Result<std::shared_ptr<ReadableObject>> Open(const std::string& path, int64_t) override {
    ARROW_ASSIGN_OR_RAISE(auto bytes, Get(path));
    return std::make_shared<MemoryReadable>(std::move(bytes), Describe(path));
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Get(const std::string& path) override {
    std::lock_guard lock(objects_->mutex);
    const auto it = objects_->by_path.find(path);
    if (it == objects_->by_path.end()) return NotFound(Describe(path));
    return it->second.bytes;
  }
  arrow::Result<bool> Exists(const std::string& path) override {
    std::lock_guard lock(objects_->mutex);
    return objects_->by_path.contains(path);
  }
  arrow::Result<std::unique_ptr<WritableObject>> Create(const std::string& path, Durability) override {
    return std::make_unique<MemoryWritable>(objects_, path);
  }
  arrow::Status Put(const std::string& path, std::span<const uint8_t> bytes, Durability) override {
    return objects_->Put(path, ToString(bytes), /*may_replace=*/true);
  }
  arrow::Status PutIfAbsent(const std::string& path, std::span<const uint8_t> bytes, Durability) override {
    return objects_->Put(path, ToString(bytes), /*may_replace=*/false);
  }
  arrow::Result<Listing> List(const std::string& directory) override {
    const std::string prefix = directory.empty() ? "" : directory + "/";
    Listing listing;
    std::lock_guard lock(objects_->mutex);
    for (auto it = objects_->by_path.lower_bound(prefix);
         it != objects_->by_path.end() && it->first.starts_with(prefix); ++it) {
      const std::string name = it->first.substr(prefix.size());
      const size_t slash = name.find('/');
      if (slash == std::string::npos) {
        listing.objects.push_back({name, it->second.bytes->size(), it->second.modified_ns});
      } else if (listing.directories.empty() || listing.directories.back() != name.substr(0, slash)) {
        listing.directories.push_back(name.substr(0, slash));
      }
    }
    std::sort(listing.directories.begin(), listing.directories.end());  // "a-b/x" comes before "a/x"
    return listing;
  }
  arrow::Status Delete(const std::string& path) override {
    std::lock_guard lock(objects_->mutex);
    return objects_->by_path.erase(path) > 0 ? arrow::Status::OK() : NotFound(Describe(path));
  }
  bool list_is_lexically_ordered() const override { return true; }

 private:
  static std::string ToString(std::span<const uint8_t> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  const std::shared_ptr<Objects> objects_ = std::make_shared<Objects>();
};

}  // namespace

std::shared_ptr<ObjectStore> MakeMemoryStore() { return std::make_shared<MemoryStore>(); }

std::shared_ptr<ObjectStore> SharedMemoryStore() {
  static const std::shared_ptr<ObjectStore> store = MakeMemoryStore();
  return store;
}

}  // namespace pilum
