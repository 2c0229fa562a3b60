// SPDX-License-Identifier: Apache-2.0
//
// Values of an index in the order of the format. Spec: 30-scalar-index.md §2.4.
#pragma once

#include <arrow/array.h>
#include <arrow/result.h>
#include <arrow/scalar.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace pilum {

/// One non-null value in a form that is compared without looking at its type: values of up to 64 bits as an
/// unsigned number, the others as bytes, both order-preserving. Floats follow IEEE 754's total order: -0.0
/// before 0.0, NaN last.
struct OrderedKey {
  uint64_t number = 0;
  std::string_view bytes;  ///< of the scalar it was made from, or of `storage`
  std::array<char, 32> storage;
};

/// A sorted array that can be searched without allocating. Immutable; any thread.
class OrderedValues {
 public:
  /// @param values ascending, nulls first (Invalid if a null follows a value). TypeError for types without an
  /// order:
  ///   nested ones, dictionaries, intervals of mixed units.
  static arrow::Result<OrderedValues> Make(std::shared_ptr<arrow::Array> values);

  /// @param scalar valid, of type type(). `key` refers to its memory.
  arrow::Status MakeKey(const arrow::Scalar& scalar, OrderedKey* key) const;

  const std::shared_ptr<arrow::DataType>& type() const { return values_->type(); }
  int64_t length() const { return values_->length(); }
  int64_t num_nulls() const { return num_nulls_; }

  /// First position with a value not below, above `key`; at least num_nulls().
  int64_t LowerBound(const OrderedKey& key) const;
  int64_t UpperBound(const OrderedKey& key) const;

  int64_t size_bytes() const;

 private:
  enum class Form { kNumber, kBytes };

  explicit OrderedValues(std::shared_ptr<arrow::Array> values);
  std::string_view BytesAt(int64_t i) const;

  std::shared_ptr<arrow::Array> values_;
  int64_t num_nulls_ = 0;
  Form form_ = Form::kNumber;
  std::vector<uint64_t> numbers_;  // kNumber; zero for nulls
  std::vector<char> flipped_;      // kBytes of decimals: big-endian, sign flipped
  int32_t flipped_width_ = 0;
};

}  // namespace pilum
