// SPDX-License-Identifier: Apache-2.0
//
// Nodes that any plan may use. Names and texts are those users know from pylance's plans.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pilum/exec/execution_plan.h"

namespace pilum {

/// EmptyExec: no rows.
PlanPtr MakeEmptyPlan(std::shared_ptr<arrow::Schema> schema);

/// GlobalLimitExec: leaves out `skip` rows, then gives at most `fetch` (none: all).
PlanPtr MakeLimitPlan(PlanPtr child, int64_t skip, std::optional<int64_t> fetch);

/// ProjectionExec: the columns of `schema` by name, in its order. A column the child does not have, and one
/// that is named in `nulls`, is null.
PlanPtr MakeProjectionPlan(PlanPtr child, std::shared_ptr<arrow::Schema> schema,
                           std::vector<std::string> nulls = {});

/// CoalescePartitionsExec over UnionExec: the children's rows one after the other. @param children one or
/// more, of equal
///   schemas. One child is the plan itself.
PlanPtr MakeUnionPlan(std::vector<PlanPtr> children);

/// CoalesceFirstExec: the rows of the first child that has any. A child is not executed before those in front
/// of it were found empty.
PlanPtr MakeCoalesceFirstPlan(std::vector<PlanPtr> children);

/// OneShotStream: rows that were computed while planning.
PlanPtr MakeBatchPlan(std::shared_ptr<arrow::RecordBatch> batch);

}  // namespace pilum
