// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/written_type.h"

#include <arrow/array/array_nested.h>
#include <arrow/util/key_value_metadata.h>

#include <algorithm>

#include "pilum/encoding/blob_field.h"
#include "pilum/encoding/hidden_values.h"
#include "pilum/encoding/levels.h"
#include "pilum/encoding/nesting.h"
#include "pilum/file/blob_writer.h"

namespace pilum {

namespace {

constexpr int64_t kMaxPackedBits = 256 * 8;

arrow::Status NullsIn(const arrow::Field& field) {
  return arrow::Status::Invalid(
      "The field `", field.name(),
      "` contained null values even though the field is marked non-null in the schema");
}

/// Nulls of items [begin, end) of `items`.
bool HasNull(const arrow::ArrayData& items, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) {
    if (IsNullValue(items, i)) return true;
  }
  return false;
}

/// Whether a child that must not be null is null under a valid row of a struct.
bool HasNullUnderValid(const arrow::ArrayData& array, const arrow::ArrayData& child) {
  for (int64_t i = 0; i < array.length; ++i) {
    if (array.IsValid(i) && IsNullValue(child, array.offset + i)) return true;
  }
  return false;
}

/// A packed struct has no place for nulls of its children.
arrow::Status CheckPacked(const arrow::ArrayData& array, const arrow::Field& field) {
  for (int i = 0; i < field.type()->num_fields(); ++i) {
    const auto& child = *array.child_data[static_cast<size_t>(i)];
    if (MayHaveNullValues(child) && HasNullUnderValid(array, child)) {
      return arrow::Status::Invalid("Column '", field.name(), "': the child `",
                                    field.type()->field(i)->name(),
                                    "` of a packed struct contains null values");
    }
    if (child.type->id() == arrow::Type::STRUCT) {
      ARROW_ASSIGN_OR_RAISE(const auto rows, arrow::StructArray(array.Copy()).GetFlattenedField(i));
      ARROW_RETURN_NOT_OK(CheckPacked(*rows->data(), *field.type()->field(i)));
    }
  }
  return arrow::Status::OK();
}

/// A blob without data and without uri is a null.
arrow::Status CheckBlobs(const arrow::ArrayData& array, const arrow::Field& field) {
  if (field.nullable()) return arrow::Status::OK();
  const arrow::StructArray blobs(array.Copy());
  const auto data = blobs.GetFieldByName("data"), uri = blobs.GetFieldByName("uri");
  for (int64_t i = 0; i < blobs.length(); ++i) {
    if (blobs.IsValid(i) && data->IsNull(i) && uri->IsNull(i)) return NullsIn(field);
  }
  return arrow::Status::OK();
}

/// What to say of nulls in the field, if anything.
arrow::Status RefuseNulls(const arrow::Field& field, FormatVersion version) {
  if (!field.nullable()) return NullsIn(field);
  if (version == FormatVersion::k2_0 && field.type()->id() == arrow::Type::STRUCT) {
    return arrow::Status::Invalid("The struct field `", field.name(),
                                  "` contains null values, which files of version 2.0 cannot hold");
  }
  return arrow::Status::OK();
}

/// Whether any rows of the field could be refused.
bool MayBeRefused(const arrow::Field& field, FormatVersion version) {
  if (IsBlobV2(field)) return !field.nullable();
  if (IsPacked(field) || !RefuseNulls(field, version).ok()) return true;
  return IsNested(field) && std::ranges::any_of(field.type()->fields(), [&](const auto& child) {
           return MayBeRefused(*child, version);
         });
}

arrow::Status CheckChildren(const arrow::ArrayData& array, const arrow::Field& field, FormatVersion version) {
  if (IsBlobV2(field)) return CheckBlobs(array, field);
  if (IsPacked(field)) return CheckPacked(array, field);
  if (!IsNested(field)) return arrow::Status::OK();
  for (int i = 0; i < field.type()->num_fields(); ++i) {
    const auto& child_field = *field.type()->field(i);
    if (!MayBeRefused(child_field, version)) continue;
    const auto& child = *array.child_data[static_cast<size_t>(i)];
    ARROW_ASSIGN_OR_RAISE(const auto visible, VisibleChild(array, i, arrow::default_memory_pool()));
    const auto has_null = [&] {
      return array.type->id() == arrow::Type::STRUCT  // whose own nulls are in `visible`
                 ? HasNullUnderValid(array, child)
                 : HasNull(*visible->data(), 0, visible->length());
    };
    if (MayHaveNullValues(child) && has_null()) ARROW_RETURN_NOT_OK(RefuseNulls(child_field, version));
    ARROW_RETURN_NOT_OK(CheckChildren(*visible->data(), child_field, version));
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Status CheckWritable(const arrow::Field& field, FormatVersion version) {
  const arrow::DataType& type = *field.type();
  const auto refuse = [&](const char* what) {
    return arrow::Status::NotImplemented("Column '", field.name(), "': ", what);
  };
  if (IsBlobDescription(field)) {
    return arrow::Status::Invalid(
        "Column '", field.name(),
        "' has descriptions of another file's blobs, not blobs: read them as bytes");
  }
  if (IsBlobV2(field)) {
    if (version < FormatVersion::k2_2) {
      return arrow::Status::Invalid("Column '", field.name(), "': Blob v2 requires file version >= 2.2 (got ",
                                    ToString(version), ")");
    }
    return CheckBlobV2(field);
  }
  if (IsBlobV1(field)) {
    if (type.id() != arrow::Type::LARGE_BINARY) return refuse("blobs must be of type large_binary");
    if (version >= FormatVersion::k2_2) return refuse("blobs of version 1 need version 2.1 or earlier");
  }
  if (IsPacked(field)) {
    ARROW_ASSIGN_OR_RAISE(const auto packed, LeafType::OfPacked(field.type()));
    const bool strings = !std::ranges::all_of(
        packed.fields, [](const LeafType& child) { return child.kind == LeafType::Kind::kFixed; });
    if (strings && version < FormatVersion::k2_2)
      return refuse("packed structs with strings need version 2.2");
    if (packed.kind == LeafType::Kind::kRow && version == FormatVersion::k2_1) {
      return refuse("packed structs with vectors have no form in version 2.1");
    }
    if (packed.bits >= kMaxPackedBits && version > FormatVersion::k2_0) {
      return refuse("packed structs of 256 bytes and more need version 2.0");
    }
  }
  if (!IsNested(field)) return arrow::Status::OK();
  if (AsksForPacking(field)) return refuse("only structs can be packed");
  const bool list_of_structs = type.id() == arrow::Type::FIXED_SIZE_LIST;
  if ((type.id() == arrow::Type::MAP || list_of_structs) && version < FormatVersion::k2_2) {
    return refuse("maps and fixed-size lists of structs need version 2.2");
  }
  if (type.id() == arrow::Type::MAP && static_cast<const arrow::MapType&>(type).keys_sorted()) {
    return refuse("maps with sorted keys have no form on disk");
  }
  for (const auto& child : type.fields()) {
    if (IsBlobV1(*child)) return refuse("blobs of version 1 inside of nested columns are not supported");
    if (HasBlob(*child) && type.id() != arrow::Type::STRUCT)
      return refuse("blobs in lists are not supported");
    ARROW_RETURN_NOT_OK(CheckWritable(*child, version));
  }
  return arrow::Status::OK();
}

arrow::Status CheckNulls(const arrow::ArrayData& array, const arrow::Field& field, FormatVersion version) {
  if (!MayBeRefused(field, version)) return arrow::Status::OK();
  if (MayHaveNullValues(array) && HasNull(array, 0, array.length)) {
    ARROW_RETURN_NOT_OK(RefuseNulls(field, version));
  }
  return CheckChildren(array, field, version);
}

}  // namespace pilum
