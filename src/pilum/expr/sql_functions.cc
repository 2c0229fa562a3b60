// SPDX-License-Identifier: Apache-2.0
#include "pilum/expr/sql_functions.h"

#include <arrow/compute/exec.h>
#include <arrow/compute/function.h>
#include <arrow/compute/kernel.h>
#include <arrow/compute/registry.h>
#include <arrow/scalar.h>
#include <arrow/type_traits.h>

#include <cmath>
#include <limits>
#include <memory>
#include <type_traits>

namespace pilum {

namespace {

namespace cp = arrow::compute;

/// @tparam Key the signed integer as wide as the float.
template <typename Key>
arrow::Status TotalOrder(cp::KernelContext*, const cp::ExecSpan& batch, cp::ExecResult* out) {
  const Key* from = batch[0].array.GetValues<Key>(1);
  Key* to = out->array_span_mutable()->GetValues<Key>(1);
  for (int64_t i = 0; i < batch.length; ++i) {
    to[i] = from[i] < 0 ? static_cast<Key>(from[i] ^ std::numeric_limits<Key>::max()) : from[i];
  }
  return arrow::Status::OK();
}

/// An argument of a kernel: one value for all rows, or one a row.
template <typename Type>
class Operand {
 public:
  using Value = typename Type::c_type;
  explicit Operand(const cp::ExecValue& value) : value_(value) {
    if (value.is_scalar()) {
      constant_ = static_cast<const typename arrow::TypeTraits<Type>::ScalarType&>(*value.scalar).value;
    } else {
      values_ = value.array.GetValues<Value>(1);
    }
  }
  bool IsValid(int64_t i) const {
    return values_ == nullptr ? value_.scalar->is_valid : value_.array.IsValid(i);
  }
  Value operator[](int64_t i) const { return values_ == nullptr ? constant_ : values_[i]; }

 private:
  const cp::ExecValue& value_;
  Value constant_{};
  const Value* values_ = nullptr;
};

template <typename Type>
arrow::Status Remainder(cp::KernelContext*, const cp::ExecSpan& batch, cp::ExecResult* out) {
  using Value = typename Type::c_type;
  const Operand<Type> left(batch[0]), right(batch[1]);
  Value* to = out->array_span_mutable()->GetValues<Value>(1);
  for (int64_t i = 0; i < batch.length; ++i) {
    if constexpr (std::is_floating_point_v<Value>) {
      to[i] = std::fmod(left[i], right[i]);
    } else {
      to[i] = 0;
      if (!left.IsValid(i) || !right.IsValid(i)) continue;
      if (right[i] == 0) return arrow::Status::Invalid("divide by zero");
      // The smallest number by -1 would overflow on its way to 0.
      if (std::is_unsigned_v<Value> || right[i] != static_cast<Value>(-1))
        to[i] = static_cast<Value>(left[i] % right[i]);
    }
  }
  return arrow::Status::OK();
}

template <typename... Types>
arrow::Status AddRemainders(cp::ScalarFunction* function) {
  arrow::Status status;
  ((status &= function->AddKernel({Types::type_id, Types::type_id},
                                  arrow::TypeTraits<Types>::type_singleton(), Remainder<Types>)),
   ...);
  return status;
}

arrow::Status Register() {
  auto order =
      std::make_shared<cp::ScalarFunction>(kTotalOrderFunction, cp::Arity::Unary(), cp::FunctionDoc::Empty());
  ARROW_RETURN_NOT_OK(order->AddKernel({arrow::Type::HALF_FLOAT}, arrow::int16(), TotalOrder<int16_t>));
  ARROW_RETURN_NOT_OK(order->AddKernel({arrow::Type::FLOAT}, arrow::int32(), TotalOrder<int32_t>));
  ARROW_RETURN_NOT_OK(order->AddKernel({arrow::Type::DOUBLE}, arrow::int64(), TotalOrder<int64_t>));
  auto remainder =
      std::make_shared<cp::ScalarFunction>(kRemainderFunction, cp::Arity::Binary(), cp::FunctionDoc::Empty());
  ARROW_RETURN_NOT_OK(
      (AddRemainders<arrow::Int8Type, arrow::Int16Type, arrow::Int32Type, arrow::Int64Type, arrow::UInt8Type,
                     arrow::UInt16Type, arrow::UInt32Type, arrow::UInt64Type, arrow::FloatType,
                     arrow::DoubleType>(remainder.get())));
  auto* registry = cp::GetFunctionRegistry();
  ARROW_RETURN_NOT_OK(registry->AddFunction(std::move(order), /*allow_overwrite=*/true));
  return registry->AddFunction(std::move(remainder), /*allow_overwrite=*/true);
}

}  // namespace

arrow::Status RegisterSqlFunctions() {
  static const arrow::Status status = Register();
  return status;
}

}  // namespace pilum
