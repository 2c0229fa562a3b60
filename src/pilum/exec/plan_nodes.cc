// SPDX-License-Identifier: Apache-2.0
#include "pilum/exec/plan_nodes.h"

#include <arrow/array/util.h>

#include <algorithm>

namespace pilum {

namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;
using ReaderPtr = std::shared_ptr<arrow::RecordBatchReader>;

std::string NamesOf(const arrow::Schema& schema) {
  std::string names;
  for (const auto& field : schema.fields()) names += (names.empty() ? "" : ", ") + field->name();
  return names;
}

class EmptyExec final : public ExecutionPlan {
 public:
  explicit EmptyExec(std::shared_ptr<arrow::Schema> schema) : schema_(std::move(schema)) {}
  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }
  arrow::Result<ReaderPtr> Execute() const override {
    return MakeReader(schema_, [] { return arrow::Result<BatchPtr>(nullptr); });
  }
  std::string Describe() const override { return "EmptyExec"; }

 private:
  const std::shared_ptr<arrow::Schema> schema_;
};

class GlobalLimitExec final : public ExecutionPlan {
 public:
  GlobalLimitExec(PlanPtr child, int64_t skip, std::optional<int64_t> fetch)
      : child_(std::move(child)), skip_(skip), fetch_(fetch) {}
  const std::shared_ptr<arrow::Schema>& schema() const override { return child_->schema(); }
  std::vector<PlanPtr> children() const override { return {child_}; }
  std::string Describe() const override {
    return "GlobalLimitExec: skip=" + std::to_string(skip_) +
           ", fetch=" + (fetch_ ? std::to_string(*fetch_) : "None");
  }
  arrow::Result<ReaderPtr> Execute() const override {
    ARROW_ASSIGN_OR_RAISE(auto reader, child_->Execute());
    return MakeReader(schema(), [reader, skip = skip_, left = fetch_]() mutable -> arrow::Result<BatchPtr> {
      while (!left || *left > 0) {
        ARROW_ASSIGN_OR_RAISE(auto batch, reader->Next());
        if (batch == nullptr) return nullptr;
        const int64_t skipped = std::min(skip, batch->num_rows());
        skip -= skipped;
        batch = batch->Slice(skipped, left.value_or(batch->num_rows()));
        if (batch->num_rows() == 0) continue;
        if (left) *left -= batch->num_rows();
        return batch;
      }
      return nullptr;
    });
  }

 private:
  const PlanPtr child_;
  const int64_t skip_;
  const std::optional<int64_t> fetch_;
};

class ProjectionExec final : public ExecutionPlan {
 public:
  ProjectionExec(PlanPtr child, std::shared_ptr<arrow::Schema> schema, const std::vector<std::string>& nulls)
      : child_(std::move(child)), schema_(std::move(schema)) {
    for (const auto& field : schema_->fields()) {
      const bool null = std::find(nulls.begin(), nulls.end(), field->name()) != nulls.end();
      sources_.push_back(null ? -1 : child_->schema()->GetFieldIndex(field->name()));
    }
  }
  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }
  std::vector<PlanPtr> children() const override { return {child_}; }
  std::string Describe() const override {
    std::string text = "ProjectionExec: expr=[";
    for (size_t i = 0; i < sources_.size(); ++i) {
      const std::string& name = schema_->field(static_cast<int>(i))->name();
      text += (i == 0 ? "" : ", ") + (sources_[i] < 0 ? "NULL" : name + "@" + std::to_string(sources_[i])) +
              " as " + name;
    }
    return text + "]";
  }
  arrow::Result<ReaderPtr> Execute() const override {
    ARROW_ASSIGN_OR_RAISE(auto reader, child_->Execute());
    return MakeReader(schema_, [reader, schema = schema_, sources = sources_]() -> arrow::Result<BatchPtr> {
      ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
      if (batch == nullptr) return nullptr;
      arrow::ArrayVector columns;
      for (size_t i = 0; i < sources.size(); ++i) {
        if (sources[i] >= 0) {
          columns.push_back(batch->column(sources[i]));
        } else {
          const auto& type = schema->field(static_cast<int>(i))->type();
          ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), arrow::MakeArrayOfNull(type, batch->num_rows()));
        }
      }
      return arrow::RecordBatch::Make(schema, batch->num_rows(), std::move(columns));
    });
  }

 private:
  const PlanPtr child_;
  const std::shared_ptr<arrow::Schema> schema_;
  std::vector<int> sources_;  // column of the child, or -1
};

class UnionExec final : public ExecutionPlan {
 public:
  explicit UnionExec(std::vector<PlanPtr> children) : children_(std::move(children)) {}
  const std::shared_ptr<arrow::Schema>& schema() const override { return children_[0]->schema(); }
  std::vector<PlanPtr> children() const override { return children_; }
  std::string Describe() const override { return "UnionExec"; }
  arrow::Result<ReaderPtr> Execute() const override {
    return MakeReader(
        schema(),
        [children = children_, next = size_t{0}, reader = ReaderPtr()]() mutable -> arrow::Result<BatchPtr> {
          for (;;) {
            if (reader == nullptr) {
              if (next == children.size()) return nullptr;
              ARROW_ASSIGN_OR_RAISE(reader, children[next++]->Execute());
            }
            ARROW_ASSIGN_OR_RAISE(auto batch, reader->Next());
            if (batch != nullptr) return batch;
            reader = nullptr;
          }
        });
  }

 private:
  const std::vector<PlanPtr> children_;
};

class CoalescePartitionsExec final : public ExecutionPlan {
 public:
  explicit CoalescePartitionsExec(PlanPtr child) : child_(std::move(child)) {}
  const std::shared_ptr<arrow::Schema>& schema() const override { return child_->schema(); }
  std::vector<PlanPtr> children() const override { return {child_}; }
  std::string Describe() const override { return "CoalescePartitionsExec"; }
  arrow::Result<ReaderPtr> Execute() const override { return child_->Execute(); }

 private:
  const PlanPtr child_;
};

class CoalesceFirstExec final : public ExecutionPlan {
 public:
  explicit CoalesceFirstExec(std::vector<PlanPtr> children) : children_(std::move(children)) {}
  const std::shared_ptr<arrow::Schema>& schema() const override { return children_[0]->schema(); }
  std::vector<PlanPtr> children() const override { return children_; }
  std::string Describe() const override {
    return "CoalesceFirstExec: inputs=" + std::to_string(children_.size());
  }
  arrow::Result<ReaderPtr> Execute() const override {
    return MakeReader(schema(),
                      [children = children_, next = size_t{0}, reader = ReaderPtr(),
                       found = false]() mutable -> arrow::Result<BatchPtr> {
                        for (;;) {
                          if (reader == nullptr) {
                            if (found || next == children.size()) return nullptr;
                            ARROW_ASSIGN_OR_RAISE(reader, children[next++]->Execute());
                          }
                          ARROW_ASSIGN_OR_RAISE(auto batch, reader->Next());
                          if (batch == nullptr) {
                            reader = nullptr;
                          } else if (batch->num_rows() > 0) {
                            found = true;
                            return batch;
                          }
                        }
                      });
  }

 private:
  const std::vector<PlanPtr> children_;
};

class OneShotExec final : public ExecutionPlan {
 public:
  explicit OneShotExec(BatchPtr batch) : batch_(std::move(batch)), schema_(batch_->schema()) {}
  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }
  std::string Describe() const override { return "OneShotStream: columns=[" + NamesOf(*schema_) + "]"; }
  arrow::Result<ReaderPtr> Execute() const override {
    return arrow::RecordBatchReader::Make({batch_}, schema_);
  }

 private:
  const BatchPtr batch_;
  const std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace

PlanPtr MakeEmptyPlan(std::shared_ptr<arrow::Schema> schema) {
  return std::make_shared<EmptyExec>(std::move(schema));
}

PlanPtr MakeLimitPlan(PlanPtr child, int64_t skip, std::optional<int64_t> fetch) {
  return std::make_shared<GlobalLimitExec>(std::move(child), skip, fetch);
}

PlanPtr MakeProjectionPlan(PlanPtr child, std::shared_ptr<arrow::Schema> schema,
                           std::vector<std::string> nulls) {
  return std::make_shared<ProjectionExec>(std::move(child), std::move(schema), nulls);
}

PlanPtr MakeUnionPlan(std::vector<PlanPtr> children) {
  if (children.size() == 1) return children[0];
  return std::make_shared<CoalescePartitionsExec>(std::make_shared<UnionExec>(std::move(children)));
}

PlanPtr MakeCoalesceFirstPlan(std::vector<PlanPtr> children) {
  if (children.size() == 1) return children[0];
  return std::make_shared<CoalesceFirstExec>(std::move(children));
}

PlanPtr MakeBatchPlan(std::shared_ptr<arrow::RecordBatch> batch) {
  return std::make_shared<OneShotExec>(std::move(batch));
}

}  // namespace pilum
