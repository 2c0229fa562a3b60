// SPDX-License-Identifier: Apache-2.0
#include "pilum/exec/execution_plan.h"

namespace pilum {

namespace {

void Append(const ExecutionPlan& plan, size_t depth, std::string* text) {
  text->append(2 * depth, ' ');
  *text += plan.Describe() + "\n";
  for (const auto& child : plan.children()) Append(*child, depth + 1, text);
}

class FunctionReader final : public arrow::RecordBatchReader {
 public:
  using Next = std::function<arrow::Result<std::shared_ptr<arrow::RecordBatch>>()>;
  FunctionReader(std::shared_ptr<arrow::Schema> schema, Next next)
      : schema_(std::move(schema)), next_(std::move(next)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override { return next_().Value(batch); }

 private:
  const std::shared_ptr<arrow::Schema> schema_;
  const Next next_;
};

}  // namespace

std::string ExecutionPlan::Explain() const {
  std::string text;
  Append(*this, 0, &text);
  return text;
}

arrow::Result<std::shared_ptr<arrow::Table>> ExecutionPlan::ToTable() const {
  ARROW_ASSIGN_OR_RAISE(const auto reader, Execute());
  return reader->ToTable();
}

std::shared_ptr<arrow::RecordBatchReader> MakeReader(
    std::shared_ptr<arrow::Schema> schema,
    std::function<arrow::Result<std::shared_ptr<arrow::RecordBatch>>()> next) {
  return std::make_shared<FunctionReader>(std::move(schema), std::move(next));
}

}  // namespace pilum
