// SPDX-License-Identifier: Apache-2.0
//
// ObjectStore: named, mostly immutable byte strings under one root. The only way Pilum touches storage, so
// that local disks, memory and object stores behave alike, and faults can be injected.
#pragma once

#include <arrow/buffer.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pilum {

/// Bytes [offset, offset + length).
struct ByteRange {
  int64_t offset = 0;
  int64_t length = 0;

  int64_t end() const { return offset + length; }
  bool operator==(const ByteRange&) const = default;
};

/// What a finished write survives.
enum class Durability {
  kProcessCrash,  ///< Death of the process: the bytes are with the operating system. Upstream's promise.
  kPowerLoss,  ///< Also loss of power: file and directories are fsynced. An object store gives this anyway.
};

/// The bytes of several ranges, in the order in which they were asked for.
struct RangeBytes {
  std::vector<std::span<const uint8_t>> ranges;
  std::shared_ptr<arrow::Buffer> memory;  ///< where they are: keep it, or copy what is to stay
};

/// One object, open for reading. Immutable; any thread.
class ReadableObject {
 public:
  virtual ~ReadableObject() = default;

  virtual const std::string& path() const = 0;  ///< for error messages
  virtual int64_t size() const = 0;

  /// Exactly the bytes of `range`. IOError (kCorruptFile) when it leaves the object.
  virtual arrow::Result<std::shared_ptr<arrow::Buffer>> Read(ByteRange range) = 0;

  /// Ranges may be empty, come in any order and overlap: the implementation merges neighbours
  /// (CoalesceRanges) into few requests. Ranges that ascend cost the least.
  virtual arrow::Result<RangeBytes> ReadMany(std::span<const ByteRange> ranges) = 0;
};

inline int64_t TotalSize(std::span<const std::span<const uint8_t>> pieces) {
  int64_t size = 0;
  for (const auto piece : pieces) size += std::ssize(piece);
  return size;
}

/// An object being written. Appears under its name, whole, when Close returns OK; not at all if it is
/// destroyed before. One thread at a time.
class WritableObject {
 public:
  virtual ~WritableObject() = default;
  /// Appends the pieces one behind the other.
  virtual arrow::Status AppendPieces(std::span<const std::span<const uint8_t>> pieces) = 0;
  arrow::Status Append(std::span<const uint8_t> bytes) { return AppendPieces({&bytes, 1}); }
  virtual int64_t position() const = 0;  ///< bytes appended so far
  virtual arrow::Status Close() = 0;
};

struct ObjectInfo {
  std::string name;  ///< last component, no '/'
  int64_t size = 0;
  int64_t modified_ns = 0;  ///< since the Unix epoch
};

/// The immediate children of a directory, each list sorted by name.
struct Listing {
  std::vector<ObjectInfo> objects;
  std::vector<std::string> directories;
};

/// Any thread. Paths are relative to the root, '/'-separated, without "." and ".."; directories appear with
/// their first object. A missing object is IOError with errno detail ENOENT: see IsNotFound.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  /// How messages name `path`: a local path or a URI.
  virtual std::string Describe(std::string_view path) const = 0;

  /// @param known_size from a manifest, or -1. A store that learns the size anyway refuses more than that;
  /// others find out when they read.
  virtual arrow::Result<std::shared_ptr<ReadableObject>> Open(const std::string& path,
                                                              int64_t known_size = -1) = 0;
  /// The whole object.
  virtual arrow::Result<std::shared_ptr<arrow::Buffer>> Get(const std::string& path) = 0;
  /// Whether there is an object; a directory is none.
  virtual arrow::Result<bool> Exists(const std::string& path) = 0;

  virtual arrow::Result<std::unique_ptr<WritableObject>> Create(const std::string& path,
                                                                Durability durability) = 0;
  /// Creates or replaces; readers see the old bytes or the new ones, nothing between.
  virtual arrow::Status Put(const std::string& path, std::span<const uint8_t> bytes,
                            Durability durability) = 0;
  /// Creates `path` with these bytes, at once and whole, or fails with AlreadyExists and changes nothing. The
  /// outcome of any other error is unknown.
  virtual arrow::Status PutIfAbsent(const std::string& path, std::span<const uint8_t> bytes,
                                    Durability durability) = 0;

  /// A missing directory lists as empty.
  virtual arrow::Result<Listing> List(const std::string& directory) = 0;
  virtual arrow::Status Delete(const std::string& path) = 0;

  /// Whether lists come in the order of names (S3, memory) so that the first manifest is the latest.
  virtual bool list_is_lexically_ordered() const = 0;
};

/// Whether `status` says that an object does not exist.
bool IsNotFound(const arrow::Status& status);
/// The status every store gives for a missing object.
arrow::Status NotFound(std::string_view described_path);

/// A store and a path inside it, from "memory://name/path", "file:///abs", or a local path (relative: to the
/// working directory; "~/" expanded). Unknown schemes are Invalid and list the known ones.
struct StoreLocation {
  std::shared_ptr<ObjectStore> store;  ///< rooted at the location itself
  std::string uri;                     ///< as a user would type it, without a trailing '/'
};
arrow::Result<StoreLocation> ResolveUri(const std::string& uri);

/// A store and the path in it of one object. Invalid for what names a folder, and as ResolveUri.
struct ObjectLocation {
  std::shared_ptr<ObjectStore> store;  ///< rooted at the object's folder
  std::string path;
};
arrow::Result<ObjectLocation> ResolveObject(const std::string& uri);
/// A "file://" URI as the path it names, percent-encoding decoded, without "." and ".."; all else as it is.
std::string LocalPathOf(const std::string& uri);

inline std::span<const uint8_t> AsSpan(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
inline std::span<const uint8_t> AsSpan(const arrow::Buffer& buffer) {
  return {buffer.data(), static_cast<size_t>(buffer.size())};
}
inline std::string_view AsStringView(const arrow::Buffer& buffer) {
  return {reinterpret_cast<const char*>(buffer.data()), static_cast<size_t>(buffer.size())};
}

/// `base` + '/' + `name`, without a leading '/' for an empty base.
std::string JoinPath(std::string_view base, std::string_view name);

/// The same store seen from a folder inside it: paths are prefixed with `prefix` + '/'.
std::shared_ptr<ObjectStore> SubStore(std::shared_ptr<ObjectStore> store, std::string prefix);

}  // namespace pilum
