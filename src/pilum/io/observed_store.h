// SPDX-License-Identifier: Apache-2.0
//
// A store whose every request is seen by an observer first, which may count it, delay it or make it fail.
// Tests and benchmarks put one around any other store.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "pilum/io/object_store.h"

namespace pilum {

enum class StoreOperation {
  kOpen,
  kGet,
  kExists,
  kRead,
  kCreate,
  kAppend,
  kClose,
  kPut,
  kPutIfAbsent,
  kList,
  kDelete
};
std::string_view ToString(StoreOperation operation);

struct StoreRequest {
  StoreOperation operation;
  std::string path;
  int64_t num_bytes = 0;  ///< that the request moves; 0 where it is not known before
};

/// Any thread.
class StoreObserver {
 public:
  virtual ~StoreObserver() = default;
  /// An error is what the caller gets; the store is not asked.
  virtual arrow::Status Before(const StoreRequest&) { return arrow::Status::OK(); }
  /// After the store has succeeded. An error is what the caller gets although the effect is there: the
  /// "unknown outcome" of a lost answer.
  virtual arrow::Status After(const StoreRequest&) { return arrow::Status::OK(); }
};

std::shared_ptr<ObjectStore> ObserveStore(std::shared_ptr<ObjectStore> store,
                                          std::shared_ptr<StoreObserver> observer);

/// Counts requests. A ReadMany counts as the reads it becomes after coalescing.
class StoreCounter final : public StoreObserver {
 public:
  arrow::Status After(const StoreRequest& request) override;

  int64_t num_requests(StoreOperation operation) const;
  /// Requests that fetch bytes: kGet and kRead.
  int64_t num_reads() const;
  int64_t bytes_read() const;
  void Reset();

 private:
  mutable std::mutex mutex_;
  std::map<StoreOperation, int64_t> counts_;
  int64_t bytes_read_ = 0;
};

/// Fails requests that a rule picks.
class FaultInjector final : public StoreObserver {
 public:
  enum class When { kBefore, kAfter };
  /// Fails up to `num_times` requests of `operation` whose path contains `path_part`, before or after their
  /// effect.
  void Fail(StoreOperation operation, std::string path_part, int num_times, When when,
            arrow::Status status = arrow::Status::IOError("injected fault"));
  /// Forgets all rules.
  void Heal();

  arrow::Status Before(const StoreRequest& request) override { return Check(request, When::kBefore); }
  arrow::Status After(const StoreRequest& request) override { return Check(request, When::kAfter); }

 private:
  struct Rule {
    StoreOperation operation;
    std::string path_part;
    int num_times;
    When when;
    arrow::Status status;
  };
  arrow::Status Check(const StoreRequest& request, When when);

  std::mutex mutex_;
  std::vector<Rule> rules_;
};

}  // namespace pilum
