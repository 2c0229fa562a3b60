// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/table.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace pilum {

/// A node of a physical plan and, with its children, a plan. Immutable; any thread. Execute may be called
/// again and gives equal results over the sources that were captured when the plan was made.
class ExecutionPlan {
 public:
  virtual ~ExecutionPlan() = default;

  virtual const std::shared_ptr<arrow::Schema>& schema() const = 0;
  /// The rows as a stream that does its work when it is pulled. It keeps what it needs alive.
  virtual arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Execute() const = 0;
  /// One line without indentation: "GlobalLimitExec: skip=0, fetch=1".
  virtual std::string Describe() const = 0;
  virtual std::vector<std::shared_ptr<const ExecutionPlan>> children() const { return {}; }

  /// The tree, two spaces deeper per level, each line ended.
  std::string Explain() const;
  arrow::Result<std::shared_ptr<arrow::Table>> ToTable() const;
};

using PlanPtr = std::shared_ptr<const ExecutionPlan>;

/// A reader that pulls from a function: null ends the stream.
std::shared_ptr<arrow::RecordBatchReader> MakeReader(
    std::shared_ptr<arrow::Schema> schema,
    std::function<arrow::Result<std::shared_ptr<arrow::RecordBatch>>()> next);

}  // namespace pilum
