// SPDX-License-Identifier: Apache-2.0
#include "pilum/io/local_store.h"

#include <arrow/util/io_util.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <utility>

#include "pilum/io/readable_base.h"
#include "pilum/util/error.h"
#include "pilum/util/uuid.h"

namespace pilum {

namespace {

/// IOError "<what> <path>: <errno text>" that keeps the errno.
arrow::Status ErrnoStatus(int error, std::string_view what, std::string_view path) {
  if (error == ENOENT) return NotFound(path);
  return arrow::internal::IOErrorFromErrno(error, what, " '", path, "'");
}

/// Owns a file descriptor.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd = -1) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

/// Repeats a system call that a signal interrupted.
template <typename Call>
auto RetryInterrupted(Call&& call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

std::string ParentOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

arrow::Status SyncDirectory(const std::string& directory) {
  FileDescriptor fd(
      RetryInterrupted([&] { return open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (!fd.valid()) return ErrnoStatus(errno, "Cannot open directory", directory);
  if (RetryInterrupted([&] { return fsync(fd.get()); }) != 0) {
    return ErrnoStatus(errno, "Cannot sync directory", directory);
  }
  return arrow::Status::OK();
}

/// Makes `directory` and its missing parents. Another process may do the same at the same time.
arrow::Status MakeDirectories(const std::string& directory, Durability durability) {
  struct stat info;
  if (stat(directory.c_str(), &info) == 0) {
    return S_ISDIR(info.st_mode) ? arrow::Status::OK() : ErrnoStatus(ENOTDIR, "Cannot write into", directory);
  }
  if (errno != ENOENT) return ErrnoStatus(errno, "Cannot look at", directory);
  const std::string parent = ParentOf(directory);
  ARROW_RETURN_NOT_OK(MakeDirectories(parent, durability));
  if (mkdir(directory.c_str(), 0777) != 0 && errno != EEXIST) {
    return arrow::internal::IOErrorFromErrno(errno, "Cannot make directory '", directory, "'");
  }
  return durability == Durability::kPowerLoss ? SyncDirectory(parent) : arrow::Status::OK();
}

arrow::Status WriteAll(int fd, std::span<const std::span<const uint8_t>> pieces, const std::string& path) {
  std::array<iovec, IOV_MAX> vectors;
  size_t first = 0, written = 0;  // the piece at hand, and how much of it is written
  while (true) {
    size_t n = 0;
    for (size_t i = first; i < pieces.size() && n < vectors.size(); ++i) {
      const auto rest = i == first ? pieces[i].subspan(written) : pieces[i];
      if (!rest.empty()) vectors[n++] = {const_cast<uint8_t*>(rest.data()), rest.size()};
    }
    if (n == 0) return arrow::Status::OK();
    const ssize_t result = RetryInterrupted([&] { return writev(fd, vectors.data(), static_cast<int>(n)); });
    if (result < 0) return ErrnoStatus(errno, "Cannot write", path);
    written += static_cast<size_t>(result);
    while (first < pieces.size() && written >= pieces[first].size()) written -= pieces[first++].size();
  }
}

class LocalReadable final : public CoalescingReadable {
 public:
  LocalReadable(FileDescriptor fd, std::string path, int64_t size)
      : CoalescingReadable(CoalesceLimits{}), fd_(std::move(fd)), path_(std::move(path)), size_(size) {}

  const std::string& path() const override { return path_; }
  int64_t size() const override { return size_; }

 protected:
  arrow::Status ReadChecked(ByteRange range, uint8_t* out) override {
    int64_t done = 0;
    while (done < range.length) {
      const ssize_t n = RetryInterrupted([&] {
        return pread(fd_.get(), out + done, static_cast<size_t>(range.length - done), range.offset + done);
      });
      if (n < 0) return ErrnoStatus(errno, "Cannot read", path_);
      if (n == 0)
        return CorruptFile(path_, range.offset + done, "the file ends before the range that was asked for");
      done += n;
    }
    return arrow::Status::OK();
  }

 private:
  const FileDescriptor fd_;
  const std::string path_;
  const int64_t size_;
};

/// A new file without a final name. Destroyed before it is named, it leaves nothing.
class StagedFile {
  static constexpr int64_t kWriteBackBytes = int64_t{8} << 20;

 public:
  static arrow::Result<std::unique_ptr<StagedFile>> Make(std::string target, Durability durability) {
    const std::string directory = ParentOf(target);
    ARROW_RETURN_NOT_OK(MakeDirectories(directory, durability));
    std::string name = directory + "/tmp-" + RandomHex(12);
    FileDescriptor fd(
        RetryInterrupted([&] { return open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666); }));
    if (!fd.valid())
      return arrow::internal::IOErrorFromErrno(errno, "Cannot create a file for '", target, "'");
    return std::unique_ptr<StagedFile>(
        new StagedFile(std::move(fd), std::move(name), std::move(target), durability));
  }
  ~StagedFile() {
    if (!staged_name_.empty()) unlink(staged_name_.c_str());
  }

  arrow::Status Append(std::span<const std::span<const uint8_t>> pieces) {
    ARROW_RETURN_NOT_OK(WriteAll(fd_.get(), pieces, target_));
    size_ += TotalSize(pieces);
    return durability_ == Durability::kPowerLoss ? StartWriteBack() : arrow::Status::OK();
  }

  /// Names the file, replacing what has the name.
  arrow::Status Replace() {
    ARROW_RETURN_NOT_OK(SyncFile());
    if (rename(staged_name_.c_str(), target_.c_str()) != 0)
      return ErrnoStatus(errno, "Cannot rename to", target_);
    staged_name_.clear();
    return SyncParent();
  }

  /// Names the file unless the name is taken.
  arrow::Status LinkIfAbsent() {
    ARROW_RETURN_NOT_OK(SyncFile());
    if (link(staged_name_.c_str(), target_.c_str()) != 0) {
      if (errno == EEXIST) return arrow::Status::AlreadyExists("'", target_, "' already exists");
      return ErrnoStatus(errno, "Cannot link", target_);
    }
    unlink(staged_name_.c_str());
    staged_name_.clear();
    return SyncParent();
  }

 private:
  StagedFile(FileDescriptor fd, std::string staged_name, std::string target, Durability durability)
      : fd_(std::move(fd)),
        staged_name_(std::move(staged_name)),
        target_(std::move(target)),
        durability_(durability) {}

  /// Lets the disk begin while the caller makes the next bytes, so that the sync at the end waits for little.
  arrow::Status StartWriteBack() {
#ifdef __linux__
    if (size_ - written_back_ < kWriteBackBytes) return arrow::Status::OK();
    const int result =
        sync_file_range(fd_.get(), written_back_, size_ - written_back_, SYNC_FILE_RANGE_WRITE);
    // Other errors say that this file system cannot; the sync at the end is what counts.
    if (result != 0 && (errno == EIO || errno == ENOSPC)) return ErrnoStatus(errno, "Cannot write", target_);
    written_back_ = size_;
#endif
    return arrow::Status::OK();
  }

  arrow::Status SyncFile() {
    if (durability_ != Durability::kPowerLoss) return arrow::Status::OK();
    if (RetryInterrupted([&] { return fdatasync(fd_.get()); }) != 0)
      return ErrnoStatus(errno, "Cannot sync", target_);
    return arrow::Status::OK();
  }
  arrow::Status SyncParent() {
    return durability_ == Durability::kPowerLoss ? SyncDirectory(ParentOf(target_)) : arrow::Status::OK();
  }

  const FileDescriptor fd_;
  std::string staged_name_;  // empty: named
  const std::string target_;
  const Durability durability_;
  int64_t size_ = 0;
  int64_t written_back_ = 0;  // of them the disk was told to begin with
};

class LocalWritable final : public WritableObject {
 public:
  explicit LocalWritable(std::unique_ptr<StagedFile> file) : file_(std::move(file)) {
    buffer_.reserve(kBufferBytes);
  }

  arrow::Status AppendPieces(std::span<const std::span<const uint8_t>> pieces) override {
    const int64_t size = TotalSize(pieces);
    position_ += size;
    if (std::ssize(buffer_) + size > kBufferBytes) {
      ARROW_RETURN_NOT_OK(Flush());
      if (size > kBufferBytes) return file_->Append(pieces);
    }
    for (const auto piece : pieces) buffer_.insert(buffer_.end(), piece.begin(), piece.end());
    return arrow::Status::OK();
  }
  int64_t position() const override { return position_; }
  arrow::Status Close() override {
    ARROW_RETURN_NOT_OK(Flush());
    return file_->Replace();
  }

 private:
  static constexpr int64_t kBufferBytes = int64_t{1} << 20;

  arrow::Status Flush() {
    const std::span<const uint8_t> all(buffer_);
    ARROW_RETURN_NOT_OK(file_->Append({&all, 1}));
    buffer_.clear();
    return arrow::Status::OK();
  }

  std::unique_ptr<StagedFile> file_;
  std::vector<uint8_t> buffer_;
  int64_t position_ = 0;
};

class LocalStore final : public ObjectStore {
 public:
  explicit LocalStore(std::string root) : root_(std::move(root)) {}

  std::string Describe(std::string_view path) const override { return FullPath(path); }

  arrow::Result<std::shared_ptr<ReadableObject>> Open(const std::string& path, int64_t known_size) override {
    const std::string full = FullPath(path);
    FileDescriptor fd(RetryInterrupted([&] { return open(full.c_str(), O_RDONLY | O_CLOEXEC); }));
    if (!fd.valid()) return ErrnoStatus(errno, "Cannot open", full);
    struct stat info;
    if (fstat(fd.get(), &info) != 0) return ErrnoStatus(errno, "Cannot look at", full);
    if (!S_ISREG(info.st_mode)) return arrow::Status::IOError("'", full, "' is not a file");
    if (known_size > info.st_size) {
      return CorruptFile(full, info.st_size,
                         "the file ends here, " + std::to_string(known_size) + " bytes are expected");
    }
    if (known_size < 0) known_size = info.st_size;
    return std::make_shared<LocalReadable>(std::move(fd), full, known_size);
  }

  arrow::Result<std::shared_ptr<arrow::Buffer>> Get(const std::string& path) override {
    ARROW_ASSIGN_OR_RAISE(auto object, Open(path, -1));
    return object->Read({0, object->size()});
  }

  arrow::Result<bool> Exists(const std::string& path) override {
    const std::string full = FullPath(path);
    struct stat info;
    if (stat(full.c_str(), &info) == 0) return !S_ISDIR(info.st_mode);
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return ErrnoStatus(errno, "Cannot look at", full);
  }

  arrow::Result<std::unique_ptr<WritableObject>> Create(const std::string& path,
                                                        Durability durability) override {
    ARROW_ASSIGN_OR_RAISE(auto file, StagedFile::Make(FullPath(path), durability));
    return std::make_unique<LocalWritable>(std::move(file));
  }

  arrow::Status Put(const std::string& path, std::span<const uint8_t> bytes, Durability durability) override {
    ARROW_ASSIGN_OR_RAISE(auto file, StagedFile::Make(FullPath(path), durability));
    ARROW_RETURN_NOT_OK(file->Append({&bytes, 1}));
    return file->Replace();
  }

  arrow::Status PutIfAbsent(const std::string& path, std::span<const uint8_t> bytes,
                            Durability durability) override {
    ARROW_ASSIGN_OR_RAISE(auto file, StagedFile::Make(FullPath(path), durability));
    ARROW_RETURN_NOT_OK(file->Append({&bytes, 1}));
    return file->LinkIfAbsent();
  }

  arrow::Result<Listing> List(const std::string& directory) override {
    const std::string full = FullPath(directory);
    std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(full.c_str()), closedir);
    if (entries == nullptr) {
      if (errno == ENOENT) return Listing{};
      return ErrnoStatus(errno, "Cannot list", full);
    }
    Listing listing;
    while (true) {
      errno = 0;
      const dirent* entry = readdir(entries.get());
      if (entry == nullptr) {
        if (errno != 0) return ErrnoStatus(errno, "Cannot list", full);
        break;
      }
      const std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      struct stat info;
      if (stat((full + "/" + name).c_str(), &info) != 0) continue;  // deleted meanwhile
      if (S_ISDIR(info.st_mode)) {
        listing.directories.push_back(name);
      } else {
        listing.objects.push_back(
            {name, info.st_size, info.st_mtim.tv_sec * int64_t{1'000'000'000} + info.st_mtim.tv_nsec});
      }
    }
    std::sort(listing.directories.begin(), listing.directories.end());
    std::sort(listing.objects.begin(), listing.objects.end(),
              [](const ObjectInfo& a, const ObjectInfo& b) { return a.name < b.name; });
    return listing;
  }

  arrow::Status Delete(const std::string& path) override {
    const std::string full = FullPath(path);
    if (unlink(full.c_str()) != 0) return ErrnoStatus(errno, "Cannot delete", full);
    return arrow::Status::OK();
  }

  bool list_is_lexically_ordered() const override { return false; }

 private:
  std::string FullPath(std::string_view path) const {
    return path.empty() ? root_ : root_ + "/" + std::string(path);
  }

  const std::string root_;
};

}  // namespace

std::shared_ptr<ObjectStore> MakeLocalStore(std::string root) {
  while (root.size() > 1 && root.ends_with('/')) root.pop_back();
  return std::make_shared<LocalStore>(std::move(root));
}

}  // namespace pilum
