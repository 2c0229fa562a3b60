// SPDX-License-Identifier: Apache-2.0
#include "pilum/io/observed_store.h"

#include <cstring>
#include <utility>

#include "pilum/io/readable_base.h"

namespace pilum {

std::string_view ToString(StoreOperation operation) {
  switch (operation) {
    case StoreOperation::kOpen:
      return "open";
    case StoreOperation::kGet:
      return "get";
    case StoreOperation::kExists:
      return "exists";
    case StoreOperation::kRead:
      return "read";
    case StoreOperation::kCreate:
      return "create";
    case StoreOperation::kAppend:
      return "append";
    case StoreOperation::kClose:
      return "close";
    case StoreOperation::kPut:
      return "put";
    case StoreOperation::kPutIfAbsent:
      return "put-if-absent";
    case StoreOperation::kList:
      return "list";
    case StoreOperation::kDelete:
      return "delete";
  }
  return "unknown";
}

namespace {

arrow::Status StatusOf(const arrow::Status& status) { return status; }
template <typename T>
arrow::Status StatusOf(const arrow::Result<T>& result) {
  return result.status();
}

/// Runs `call` between the two hooks; returns what `call` returns.
template <typename Call>
auto Observed(StoreObserver& observer, const StoreRequest& request, Call&& call) -> decltype(call()) {
  ARROW_RETURN_NOT_OK(observer.Before(request));
  auto result = call();
  if (!StatusOf(result).ok()) return result;
  ARROW_RETURN_NOT_OK(observer.After(request));
  return result;
}

class ObservedReadable final : public CoalescingReadable {
 public:
  ObservedReadable(std::shared_ptr<ReadableObject> object, std::string store_path,
                   std::shared_ptr<StoreObserver> observer)
      : CoalescingReadable(CoalesceLimits{}),
        object_(std::move(object)),
        store_path_(std::move(store_path)),
        observer_(std::move(observer)) {}
  const std::string& path() const override { return object_->path(); }
  int64_t size() const override { return object_->size(); }

 protected:
  arrow::Status ReadChecked(ByteRange range, uint8_t* out) override {
    return Observed(*observer_, {StoreOperation::kRead, store_path_, range.length}, [&]() -> arrow::Status {
      ARROW_ASSIGN_OR_RAISE(const auto bytes, object_->Read(range));
      if (range.length > 0) std::memcpy(out, bytes->data(), static_cast<size_t>(range.length));
      return arrow::Status::OK();
    });
  }

 private:
  const std::shared_ptr<ReadableObject> object_;
  const std::string store_path_;
  const std::shared_ptr<StoreObserver> observer_;
};

class ObservedWritable final : public WritableObject {
 public:
  ObservedWritable(std::unique_ptr<WritableObject> object, std::string store_path,
                   std::shared_ptr<StoreObserver> observer)
      : object_(std::move(object)), store_path_(std::move(store_path)), observer_(std::move(observer)) {}
  arrow::Status AppendPieces(std::span<const std::span<const uint8_t>> pieces) override {
    return Observed(*observer_, {StoreOperation::kAppend, store_path_, TotalSize(pieces)},
                    [&] { return object_->AppendPieces(pieces); });
  }
  int64_t position() const override { return object_->position(); }
  arrow::Status Close() override {
    return Observed(*observer_, {StoreOperation::kClose, store_path_}, [&] { return object_->Close(); });
  }

 private:
  const std::unique_ptr<WritableObject> object_;
  const std::string store_path_;
  const std::shared_ptr<StoreObserver> observer_;
};

class ObservedStore final : public ObjectStore {
 public:
  ObservedStore(std::shared_ptr<ObjectStore> store, std::shared_ptr<StoreObserver> observer)
      : store_(std::move(store)), observer_(std::move(observer)) {}

  std::string Describe(std::string_view path) const override { return store_->Describe(path); }
  arrow::Result<std::shared_ptr<ReadableObject>> Open(const std::string& path, int64_t known_size) override {
    ARROW_ASSIGN_OR_RAISE(auto object, Observed(*observer_, {StoreOperation::kOpen, path},
                                                [&] { return store_->Open(path, known_size); }));
    return std::make_shared<ObservedReadable>(std::move(object), path, observer_);
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Get(const std::string& path) override {
    ARROW_RETURN_NOT_OK(observer_->Before({StoreOperation::kGet, path}));
    ARROW_ASSIGN_OR_RAISE(auto bytes, store_->Get(path));
    ARROW_RETURN_NOT_OK(observer_->After({StoreOperation::kGet, path, bytes->size()}));
    return bytes;
  }
  arrow::Result<bool> Exists(const std::string& path) override {
    return Observed(*observer_, {StoreOperation::kExists, path}, [&] { return store_->Exists(path); });
  }
  arrow::Result<std::unique_ptr<WritableObject>> Create(const std::string& path,
                                                        Durability durability) override {
    ARROW_ASSIGN_OR_RAISE(auto object, Observed(*observer_, {StoreOperation::kCreate, path},
                                                [&] { return store_->Create(path, durability); }));
    return std::make_unique<ObservedWritable>(std::move(object), path, observer_);
  }
  arrow::Status Put(const std::string& path, std::span<const uint8_t> bytes, Durability durability) override {
    return Observed(*observer_, {StoreOperation::kPut, path, std::ssize(bytes)},
                    [&] { return store_->Put(path, bytes, durability); });
  }
  arrow::Status PutIfAbsent(const std::string& path, std::span<const uint8_t> bytes,
                            Durability durability) override {
    return Observed(*observer_, {StoreOperation::kPutIfAbsent, path, std::ssize(bytes)},
                    [&] { return store_->PutIfAbsent(path, bytes, durability); });
  }
  arrow::Result<Listing> List(const std::string& directory) override {
    return Observed(*observer_, {StoreOperation::kList, directory}, [&] { return store_->List(directory); });
  }
  arrow::Status Delete(const std::string& path) override {
    return Observed(*observer_, {StoreOperation::kDelete, path}, [&] { return store_->Delete(path); });
  }
  bool list_is_lexically_ordered() const override { return store_->list_is_lexically_ordered(); }

 private:
  const std::shared_ptr<ObjectStore> store_;
  const std::shared_ptr<StoreObserver> observer_;
};

}  // namespace

std::shared_ptr<ObjectStore> ObserveStore(std::shared_ptr<ObjectStore> store,
                                          std::shared_ptr<StoreObserver> observer) {
  return std::make_shared<ObservedStore>(std::move(store), std::move(observer));
}

arrow::Status StoreCounter::After(const StoreRequest& request) {
  std::lock_guard lock(mutex_);
  ++counts_[request.operation];
  if (request.operation == StoreOperation::kGet || request.operation == StoreOperation::kRead) {
    bytes_read_ += request.num_bytes;
  }
  return arrow::Status::OK();
}

int64_t StoreCounter::num_requests(StoreOperation operation) const {
  std::lock_guard lock(mutex_);
  const auto it = counts_.find(operation);
  return it == counts_.end() ? 0 : it->second;
}

int64_t StoreCounter::num_reads() const {
  return num_requests(StoreOperation::kGet) + num_requests(StoreOperation::kRead);
}

int64_t StoreCounter::bytes_read() const {
  std::lock_guard lock(mutex_);
  return bytes_read_;
}

void StoreCounter::Reset() {
  std::lock_guard lock(mutex_);
  counts_.clear();
  bytes_read_ = 0;
}

void FaultInjector::Fail(StoreOperation operation, std::string path_part, int num_times, When when,
                         arrow::Status status) {
  std::lock_guard lock(mutex_);
  rules_.push_back({operation, std::move(path_part), num_times, when, std::move(status)});
}

void FaultInjector::Heal() {
  std::lock_guard lock(mutex_);
  rules_.clear();
}

arrow::Status FaultInjector::Check(const StoreRequest& request, When when) {
  std::lock_guard lock(mutex_);
  for (Rule& rule : rules_) {
    if (rule.when == when && rule.operation == request.operation && rule.num_times > 0 &&
        request.path.find(rule.path_part) != std::string::npos) {
      --rule.num_times;
      return rule.status;
    }
  }
  return arrow::Status::OK();
}

}  // namespace pilum
