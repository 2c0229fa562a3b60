// SPDX-License-Identifier: Apache-2.0
#include "pilum/expr/filter.h"

#include <arrow/array/builder_base.h>
#include <arrow/array/util.h>
#include <arrow/compute/api.h>

#include <algorithm>

#include "pilum/expr/filter_binder.h"
#include "pilum/expr/sql_parser.h"

namespace pilum {

namespace cp = arrow::compute;
using cp::Expression;

arrow::Result<Expression> ParseFilter(std::string_view sql, const arrow::Schema& schema) {
  ARROW_ASSIGN_OR_RAISE(const auto tree, ParseSqlCondition(sql));
  return BindCondition(tree, schema, sql);
}

arrow::Result<std::shared_ptr<arrow::BooleanArray>> EvaluateFilter(const Expression& filter,
                                                                   const arrow::RecordBatch& batch) {
  ARROW_ASSIGN_OR_RAISE(const auto verdict, cp::ExecuteScalarExpression(filter, cp::ExecBatch(batch)));
  if (verdict.is_array()) return std::static_pointer_cast<arrow::BooleanArray>(verdict.make_array());
  ARROW_ASSIGN_OR_RAISE(auto repeated, arrow::MakeArrayFromScalar(*verdict.scalar(), batch.num_rows()));
  return std::static_pointer_cast<arrow::BooleanArray>(std::move(repeated));
}

std::vector<std::string> ColumnsOf(const Expression& expression) {
  std::vector<std::string> names;
  for (const arrow::FieldRef& ref : cp::FieldsInExpression(expression)) {
    const arrow::FieldRef* first = ref.IsNested() ? &(*ref.nested_refs())[0] : &ref;
    if (const std::string* name = first->name()) {
      if (std::find(names.begin(), names.end(), *name) == names.end()) names.push_back(*name);
    }
  }
  return names;
}

std::vector<Expression> Conjuncts(const Expression& filter) {
  const Expression::Call* call = filter.call();
  if (call == nullptr || call->function_name != "and_kleene") return {filter};
  std::vector<Expression> all;
  for (const Expression& argument : call->arguments) {
    for (Expression& part : Conjuncts(argument)) all.push_back(std::move(part));
  }
  return all;
}

std::optional<PointPredicate> AsPointPredicate(const Expression& conjunct) {
  const Expression::Call* call = conjunct.call();
  if (call == nullptr) return std::nullopt;
  const auto column_of = [](const Expression& expression) -> const std::string* {
    return expression.field_ref() == nullptr ? nullptr : expression.field_ref()->name();
  };
  if (call->function_name == "is_in") {
    const std::string* column = column_of(call->arguments[0]);
    const auto& options = static_cast<const cp::SetLookupOptions&>(*call->options);
    if (column == nullptr || !options.value_set.is_array()) return std::nullopt;
    auto values = cp::DropNull(options.value_set);
    if (!values.ok()) return std::nullopt;
    return PointPredicate{*column, values->make_array()};
  }
  if (call->function_name != "equal") return std::nullopt;
  for (const size_t side : {size_t{0}, size_t{1}}) {
    const std::string* column = column_of(call->arguments[side]);
    const arrow::Datum* literal = call->arguments[1 - side].literal();
    if (column == nullptr || literal == nullptr || !literal->is_scalar() || !literal->scalar()->is_valid)
      continue;
    auto values = arrow::MakeArrayFromScalar(*literal->scalar(), 1);
    if (values.ok()) return PointPredicate{*column, *std::move(values)};
  }
  return std::nullopt;
}

}  // namespace pilum
