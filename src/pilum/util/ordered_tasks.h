// SPDX-License-Identifier: Apache-2.0
//
// OrderedTasks: work ahead of a consumer, on many threads, in order.
#pragma once

#include <arrow/result.h>
#include <arrow/util/future.h>
#include <arrow/util/thread_pool.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <utility>

namespace pilum {

/// Tasks 0 to n - 1, run on Arrow's CPU pool ahead of whoever takes their results: as many as the pool has
/// threads and one more, so that is how many results wait in memory. None is begun, but the one that is
/// waited for, while results that wait and those to come, each as large as the last one, make `max_bytes` or
/// more. A task alone runs on the taker's thread.
///
/// One thread at a time; not one of the pool's, which would wait for itself.
template <typename T>
class OrderedTasks {
 public:
  using Task = std::function<arrow::Result<T>(size_t)>;
  using SizeOf = int64_t (*)(const T&);

  /// @param size_of the bytes of a result.
  OrderedTasks(size_t num_tasks, Task task, SizeOf size_of, int64_t max_bytes)
      : num_tasks_(num_tasks), task_(std::move(task)), size_of_(size_of), max_bytes_(max_bytes) {}
  /// No task outlives its OrderedTasks.
  ~OrderedTasks() { Stop(); }
  OrderedTasks(const OrderedTasks&) = delete;
  OrderedTasks& operator=(const OrderedTasks&) = delete;

  /// The result of the next task, or none behind the last.
  arrow::Result<std::optional<T>> Next() {
    if (num_tasks_ == 1 && next_ == 0) {
      ++next_;
      return Lift(task_(0));
    }
    auto* pool = arrow::internal::GetCpuThreadPool();
    const size_t ahead = static_cast<size_t>(pool->GetCapacity()) + 1;
    while (running_.size() < ahead && next_ < num_tasks_ && (running_.empty() || MayRunAhead())) {
      ++unfinished_;
      ARROW_ASSIGN_OR_RAISE(auto future, pool->Submit([this, i = next_] { return Run(i); }));
      running_.push_back(std::move(future));
      ++next_;
    }
    if (running_.empty()) return std::nullopt;
    auto future = std::move(running_.front());
    running_.pop_front();
    auto result = future.MoveResult();
    if (result.ok()) waiting_bytes_ -= size_of_(*result);
    return Lift(std::move(result));
  }

  /// Starts no more tasks and waits for those that run.
  void Stop() {
    for (auto& task : running_) task.Wait();
    running_.clear();
    next_ = num_tasks_;
  }

 private:
  arrow::Result<T> Run(size_t i) {
    auto result = task_(i);
    if (result.ok()) {
      last_bytes_ = size_of_(*result);
      waiting_bytes_ += last_bytes_;
    }
    --unfinished_;
    return result;
  }

  bool MayRunAhead() const { return waiting_bytes_ + unfinished_ * last_bytes_ < max_bytes_; }

  static arrow::Result<std::optional<T>> Lift(arrow::Result<T> result) {
    ARROW_RETURN_NOT_OK(result.status());
    return std::optional<T>(*std::move(result));
  }

  const size_t num_tasks_;
  const Task task_;
  const SizeOf size_of_;
  const int64_t max_bytes_;
  std::atomic<int64_t> waiting_bytes_ = 0;  // of results that nobody has taken
  std::atomic<int64_t> unfinished_ = 0;
  std::atomic<int64_t> last_bytes_ = 0;
  std::deque<arrow::Future<T>> running_;
  size_t next_ = 0;
};

}  // namespace pilum
