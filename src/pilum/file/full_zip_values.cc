// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/full_zip_values.h"

#include "pilum/encoding/general_compression.h"

namespace pilum {

namespace enc = lance::encodings21;

arrow::Result<ControlWord> ControlWord::Make(uint32_t bits_rep, uint32_t bits_def) {
  if (bits_rep > 16 || bits_def > 16) {
    return arrow::Status::Invalid("levels of ", bits_rep, " and ", bits_def, " bits");
  }
  const uint32_t bits = bits_rep + bits_def;
  ControlWord word;
  word.bytes_ = bits == 0 ? 0 : bits <= 8 ? 1 : bits <= 16 ? 2 : 4;
  word.bits_def_ = bits_def;
  word.def_mask_ = (uint32_t{1} << bits_def) - 1;
  word.rep_mask_ = (uint32_t{1} << bits_rep) - 1;
  return word;
}

arrow::Result<FixedFullZipValues> FixedFullZipValues::Make(const enc::CompressiveEncoding& encoding,
                                                           uint64_t bits_per_value, const LeafType& type) {
  if (type.kind != LeafType::Kind::kFixed) {
    return arrow::Status::Invalid("fixed-width values in a column of ", type.type->ToString());
  }
  FixedFullZipValues values(type);
  int64_t data_bits = type.bits, validity_bytes = 0;
  if (type.is_vector()) {
    ARROW_ASSIGN_OR_RAISE(values.vector_, VectorEncoding::Parse(encoding, type));
    for (size_t level = 0; level < type.dims.size(); ++level) {
      if (values.vector_->has_validity[level]) validity_bytes += (type.ItemsThrough(level) + 7) / 8;
    }
    if (values.vector_->all_items_null) data_bits = 0;
  } else {
    values.byte_booleans_ = type.bits == 1;
    if (values.byte_booleans_) data_bits = 8;
    if (!encoding.has_flat() || encoding.flat().bits_per_value() != static_cast<uint64_t>(data_bits)) {
      return arrow::Status::Invalid("full-zip values that are not flat ", data_bits, " bits");
    }
  }
  if (data_bits % 8 != 0) return arrow::Status::NotImplemented("full-zip values of ", data_bits, " bits");
  values.bytes_ = validity_bytes + data_bits / 8;
  if (bits_per_value != static_cast<uint64_t>(values.bytes_ * 8)) {
    return arrow::Status::Invalid("values of ", bits_per_value, " bits, their encoding has ",
                                  values.bytes_ * 8);
  }
  values.plain_ = validity_bytes == 0 && !values.byte_booleans_ && data_bits > 0;
  return values;
}

arrow::Status FixedFullZipValues::Append(const uint8_t* value, ColumnBuilder* out) const {
  if (!vector_) return out->AppendFixed(value, 0, 1);
  for (size_t level = 0; level < type_.dims.size(); ++level) {
    const int64_t items = type_.ItemsThrough(level);
    ValidityBuilder& validity = out->item_validity(level);
    if (vector_->has_validity[level]) {
      ARROW_RETURN_NOT_OK(validity.AppendBits(value, 0, items));
      value += (items + 7) / 8;
    } else {
      const bool nulls = vector_->all_items_null && !type_.is_vector_of_nulls();
      const bool valid = !nulls || level + 1 < type_.dims.size();
      ARROW_RETURN_NOT_OK(validity.Append(valid, items));
    }
  }
  return vector_->all_items_null ? out->AppendZeros(1) : out->AppendFixed(value, 0, 1);
}

arrow::Result<VariableFullZipValues> VariableFullZipValues::Make(const enc::CompressiveEncoding& encoding,
                                                                 uint64_t bits_per_length,
                                                                 const LeafType& type,
                                                                 arrow::MemoryPool* pool) {
  if (bits_per_length != 32 && bits_per_length != 64) {
    return arrow::Status::Invalid("lengths of ", bits_per_length, " bits");
  }
  VariableFullZipValues values(pool);
  values.length_bytes_ = bits_per_length / 8;
  if (encoding.has_variable_packed_struct() && type.kind == LeafType::Kind::kRow) {
    ARROW_RETURN_NOT_OK(values.InitFields(encoding.variable_packed_struct(), type));
    return values;
  }
  if (type.kind != LeafType::Kind::kVariable) {
    return arrow::Status::Invalid("strings in a column of ", type.type->ToString());
  }
  switch (encoding.compression_case()) {
    case enc::CompressiveEncoding::kVariable:
      return values;
    case enc::CompressiveEncoding::kFsst: {
      const std::string& table = encoding.fsst().symbol_table();
      ARROW_ASSIGN_OR_RAISE(
          values.fsst_, FsstDecoder::Parse({reinterpret_cast<const uint8_t*>(table.data()), table.size()}));
      return values;
    }
    case enc::CompressiveEncoding::kGeneral:
      values.scheme_ = encoding.general().compression().scheme();
      return values;
    default:
      return arrow::Status::NotImplemented("full-zip encoding ",
                                           static_cast<int>(encoding.compression_case()));
  }
}

arrow::Status VariableFullZipValues::InitFields(const enc::VariablePackedStruct& encoding,
                                                const LeafType& type) {
  if (static_cast<size_t>(encoding.fields_size()) != type.fields.size()) {
    return arrow::Status::Invalid("packed structs of ", encoding.fields_size(), " fields in a column of ",
                                  type.type->ToString());
  }
  for (size_t i = 0; i < type.fields.size(); ++i) {
    const auto& from = encoding.fields(static_cast<int>(i));
    Field& field = fields_.emplace_back();
    if (type.fields[i].kind == LeafType::Kind::kFixed) {
      ARROW_ASSIGN_OR_RAISE(field.fixed,
                            FixedFullZipValues::Make(from.value(), from.bits_per_value(), type.fields[i]));
    } else {
      ARROW_ASSIGN_OR_RAISE(field.variable,
                            Make(from.value(), from.bits_per_length(), type.fields[i], pool_));
    }
  }
  return arrow::Status::OK();
}

arrow::Result<std::span<const uint8_t>> VariableFullZipValues::Front(std::span<const uint8_t> bytes) const {
  if (bytes.size() < length_bytes_) return arrow::Status::Invalid("a value without its length");
  const uint64_t length =
      length_bytes_ == 4 ? LoadLE<uint32_t>(bytes.data()) : LoadLE<uint64_t>(bytes.data());
  bytes = bytes.subspan(length_bytes_);
  if (length > bytes.size()) {
    return arrow::Status::Invalid("a value of ", length, " bytes where ", bytes.size(), " are left");
  }
  return bytes.first(length);
}

arrow::Status VariableFullZipValues::AppendRow(std::span<const uint8_t> row, ColumnBuilder* out) const {
  if (row.empty()) return out->AppendZeros(1);
  const std::vector<size_t>& wanted = out->type().packed_children;
  size_t next = 0;  // of those wanted
  for (size_t i = 0; i < fields_.size(); ++i) {
    ColumnBuilder* child = next < wanted.size() && wanted[next] == i ? &out->child(next++) : nullptr;
    if (fields_[i].fixed) {
      const size_t size = static_cast<size_t>(fields_[i].fixed->bytes());
      if (row.size() < size) return arrow::Status::Invalid("a packed struct ends in its field ", i);
      if (child != nullptr) ARROW_RETURN_NOT_OK(fields_[i].fixed->Append(row.data(), child));
      row = row.subspan(size);
    } else {
      const VariableFullZipValues& variable = *fields_[i].variable;
      ARROW_ASSIGN_OR_RAISE(const auto stored, variable.Front(row));
      if (child != nullptr) ARROW_RETURN_NOT_OK(variable.Append(stored, child));
      row = row.subspan(variable.length_bytes() + stored.size());
    }
  }
  if (!row.empty()) return arrow::Status::Invalid(row.size(), " bytes behind the fields of a packed struct");
  return out->FinishRow();
}

arrow::Status VariableFullZipValues::Append(std::span<const uint8_t> stored, ColumnBuilder* out) const {
  if (!fields_.empty()) return AppendRow(stored, out);
  if (scheme_) {
    ARROW_ASSIGN_OR_RAISE(auto text, Decompress(*scheme_, stored, pool_));
    return out->AppendBytes({text->data(), static_cast<size_t>(text->size())});
  }
  if (fsst_) {
    ARROW_RETURN_NOT_OK(fsst_->Decode(stored, out->bytes()));
    return out->EndValue();
  }
  return out->AppendBytes(stored);
}

arrow::Result<RowOffsets> RowOffsets::Parse(std::span<const uint8_t> bytes, int64_t num_rows,
                                            int64_t data_bytes) {
  RowOffsets offsets;
  offsets.bytes_.assign(bytes.begin(), bytes.end());
  offsets.width_ = std::ssize(bytes) / (num_rows + 1);
  const int64_t width = offsets.width_;
  if (std::ssize(bytes) % (num_rows + 1) != 0 || (width != 1 && width != 2 && width != 4 && width != 8)) {
    return arrow::Status::Invalid("a repetition index of ", bytes.size(), " bytes for ", num_rows, " rows");
  }
  int64_t last = 0;
  for (int64_t row = 0; row <= num_rows; ++row) {
    const int64_t offset = offsets[row];
    if (offset < last || offset > data_bytes) {
      return arrow::Status::Invalid("row ", row, " begins at ", offset, " of ", data_bytes,
                                    ": the repetition index does not ascend");
    }
    last = offset;
  }
  return offsets;
}

}  // namespace pilum
