// SPDX-License-Identifier: Apache-2.0
//
// What the fuzz targets of files and page layouts share.
#pragma once

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/device.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "pilum/file/column_metadata.h"
#include "pilum/file/field_encoder.h"
#include "pilum/file/file_reader.h"
#include "pilum/file/footer.h"
#include "pilum/file/random_batch.h"
#include "pilum/file/schema.h"
#include "pilum/file/written_type.h"
#include "pilum/fuzz_input.pb.h"
#include "pilum/fuzz_target.h"
#include "pilum/io/object_store.h"
#include "pilum/util/error.h"
#include "pilum/util/little_endian.h"
#include "pilum_proto/file.pb.h"

namespace pilum::fuzz {

/// Bytes as an object, each range of which is read into memory of its own, as ExactBytes are.
class ExactObject final : public ReadableObject {
 public:
  explicit ExactObject(std::string bytes) : bytes_(std::move(bytes)) {}
  const std::string& path() const override { return path_; }
  int64_t size() const override { return static_cast<int64_t>(bytes_.size()); }

  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(ByteRange range) override {
    ARROW_ASSIGN_OR_RAISE(const auto bytes, ReadMany({&range, 1}));
    const auto& part = bytes.ranges[0];
    return std::make_shared<arrow::Buffer>(part.data(), static_cast<int64_t>(part.size()),
                                           arrow::default_cpu_memory_manager(), bytes.memory);
  }
  arrow::Result<RangeBytes> ReadMany(std::span<const ByteRange> ranges) override {
    const auto memory = std::make_shared<Memory>();
    RangeBytes result;
    for (const ByteRange& range : ranges) {
      if (range.offset < 0 || range.length < 0 || range.offset > size() ||
          range.length > size() - range.offset) {
        return CorruptFile(path_, range.offset, "a read outside of the file");
      }
      result.ranges.emplace_back();
      if (range.length == 0) continue;
      const std::string_view part(bytes_.data() + range.offset, static_cast<size_t>(range.length));
      result.ranges.back() = memory->parts.emplace_back(part);
    }
    result.memory = memory;
    return result;
  }

 private:
  struct Memory final : arrow::Buffer {
    Memory() : arrow::Buffer(nullptr, 0) {}
    std::vector<ExactBytes> parts;
  };

  const std::string bytes_;
  const std::string path_ = "fuzz.lance";
};

constexpr FormatVersion kVersions[] = {FormatVersion::k2_0, FormatVersion::k2_1, FormatVersion::k2_2};
constexpr int64_t kMaxRows = 20'000;  // a claim beyond this would be time spent on constants

/// Whether the rows of `some` are those of `all` with these numbers.
inline bool AreRows(const arrow::RecordBatch& some, const std::vector<int64_t>& rows,
                    const arrow::RecordBatch& all) {
  for (size_t begin = 0, end; begin < rows.size(); begin = end) {
    for (end = begin + 1; end < rows.size() && rows[end] == rows[end - 1] + 1;) ++end;
    const auto n = static_cast<int64_t>(end - begin);
    if (!some.Slice(static_cast<int64_t>(begin), n)
             ->Equals(*all.Slice(rows[begin], n), /*check_metadata=*/false,
                      arrow::EqualOptions().nans_equal(true))) {
      return false;
    }
  }
  return some.num_rows() == static_cast<int64_t>(rows.size());
}

/// Keys of dictionaries mean the same by other numbers.
inline bool HasDictionaries(const arrow::DataType& type) {
  return type.id() == arrow::Type::DICTIONARY ||
         std::any_of(type.fields().begin(), type.fields().end(),
                     [](const auto& field) { return HasDictionaries(*field->type()); });
}

/// Reads all rows of a data file, and those of `take` (row i if bit i % 64 is set) once more: in a good file
/// they are the same.
inline arrow::Status FuzzDataFile(std::string bytes, uint64_t take) {
  ARROW_ASSIGN_OR_RAISE(auto reader, FileReader::Open(std::make_shared<ExactObject>(std::move(bytes))));
  const int64_t n = reader->num_rows();
  if (n > kMaxRows) return arrow::Status::OK();
  const auto file = reader->WholeFile();
  auto* pool = arrow::default_memory_pool();
  const auto all = reader->ReadRange(file, 0, n, pool);
  if (all.ok()) RequireValid(**all);
  std::vector<int64_t> rows;
  for (int64_t row = 0; row < n; ++row) {
    if ((take >> row % 64 & 1) != 0) rows.push_back(row);
  }
  const auto some = reader->Take(file, rows, pool);
  if (some.ok()) RequireValid(**some);
  ARROW_RETURN_NOT_OK(all);
  Require(some.status(), "a take from a good file");
  if (!HasDictionaries(*arrow::struct_(file.schema->fields()))) {
    Require(AreRows(**some, rows, **all), "a take gives the rows of the file");
  }
  return arrow::Status::OK();
}

/// Fields of every type, with metadata that asks for other encodings than the usual.
inline const arrow::FieldVector& Fields() {
  static const auto fields = [] {
    using arrow::field;
    const auto metadata = [](const char* key, const char* value) {
      return arrow::key_value_metadata({{key, value}});
    };
    auto types = testing::LeafTypes();
    const auto nested = testing::NestedTypes(true);
    types.insert(types.end(), nested.begin(), nested.end());
    types.push_back(arrow::fixed_size_list(arrow::null(), 3));
    types.push_back(arrow::dictionary(arrow::int8(), arrow::utf8()));
    types.push_back(arrow::dictionary(arrow::uint32(), arrow::int64()));
    arrow::FieldVector all;
    for (const auto& type : types) {
      all.push_back(field("c", type));
      all.push_back(field("c", type, metadata("lance-encoding:structural-encoding", "fullzip")));
      if (IsNested(*all.back())) continue;
      for (const char* scheme : {"none", "fsst", "lz4", "zstd"})
        all.push_back(field("c", type, metadata("lance-encoding:compression", scheme)));
      all.push_back(field("c", type, metadata("lance-encoding:bss", "on")));
      all.push_back(field("c", type, metadata("lance-encoding:rle-threshold", "1")));
    }
    const auto pair = arrow::struct_({field("a", arrow::int32()), field("b", arrow::fixed_size_binary(3))});
    const auto mixed = arrow::struct_({field("a", arrow::int16()), field("s", arrow::utf8()),
                                       field("v", arrow::fixed_size_list(arrow::float32(), 2))});
    all.push_back(field("c", mixed, metadata("packed", "true")));
    all.push_back(field("c", pair, metadata("packed", "true")));
    all.push_back(field("c", arrow::list(field("item", pair, metadata("packed", "true")))));
    return all;
  }();
  return fields;
}

/// A good file but for its pages.
inline std::string FileOf(const FieldPages& input) {
  const auto& field = Fields()[input.field() % Fields().size()];
  std::string file;
  std::string table;  // of columns
  std::string metadata;
  std::vector<lance::file::v2::ColumnMetadata> columns;
  for (const auto& column : input.columns()) {
    auto& message = columns.emplace_back();
    for (const auto& page : column.pages()) {
      auto* to = message.add_pages();
      to->set_length(page.num_rows());
      if (page.has_array()) {
        SetEncoding(page.array(), to->mutable_encoding());
      } else {
        SetEncoding(page.layout(), to->mutable_encoding());
      }
      for (const std::string& buffer : page.buffers()) {
        to->add_buffer_offsets(file.size());
        to->add_buffer_sizes(buffer.size());
        file += buffer;
      }
    }
  }
  lance::file::FileDescriptor descriptor;
  descriptor.set_length(input.num_rows());
  Schema::FromArrow(*arrow::schema({field}))
      .ValueOrDie()
      ->ToProto(descriptor.mutable_schema()->mutable_fields(),
                descriptor.mutable_schema()->mutable_metadata());
  const size_t descriptor_at = file.size();
  file += descriptor.SerializeAsString();
  Footer footer;
  footer.column_metadata_start = static_cast<int64_t>(file.size());
  for (const auto& column : columns) {
    const std::string bytes = column.SerializeAsString();
    AppendLE<uint64_t>(&table, file.size());
    AppendLE<uint64_t>(&table, bytes.size());
    file += bytes;
  }
  footer.column_table_start = static_cast<int64_t>(file.size());
  file += table;
  footer.global_table_start = static_cast<int64_t>(file.size());
  AppendLE<uint64_t>(&file, descriptor_at);
  AppendLE<uint64_t>(&file, static_cast<uint64_t>(footer.column_metadata_start) - descriptor_at);
  footer.num_global_buffers = 1;
  footer.num_columns = static_cast<uint32_t>(columns.size());
  footer.version = kVersions[input.minor() % std::size(kVersions)];
  return file + footer.Serialize();
}

using PageFilter = std::function<bool(const FieldPages::Page&)>;

inline bool HasPage(const FieldPages& input, const PageFilter& accept) {
  return std::any_of(input.columns().begin(), input.columns().end(), [&](const auto& column) {
    return std::any_of(column.pages().begin(), column.pages().end(), accept);
  });
}

/// Runs FuzzDataFile if one of the pages is accepted.
inline void FuzzPages(const FieldPages& input, const PageFilter& accept) {
  if (HasPage(input, accept)) (void)FuzzDataFile(FileOf(input), input.take());
}

/// Rows as the writer encodes them; none where it cannot.
inline arrow::Result<FieldPages> EncodePages(uint32_t field, uint32_t minor,
                                             const std::shared_ptr<arrow::Array>& rows) {
  const auto& type = Fields()[field];
  ARROW_RETURN_NOT_OK(CheckWritable(*type, kVersions[minor]));
  ARROW_RETURN_NOT_OK(CheckNulls(*rows->data(), *type, kVersions[minor]));
  ARROW_ASSIGN_OR_RAISE(const auto encoder,
                        FieldEncoder::Make(type, kVersions[minor], arrow::default_memory_pool()));
  ARROW_ASSIGN_OR_RAISE(const auto encoded, encoder.Encode(rows->data(), 0));
  FieldPages input;
  input.set_field(field);
  input.set_minor(minor);
  input.set_num_rows(static_cast<uint64_t>(rows->length()));
  input.set_take(0x0123456789ABCDEF);
  for (size_t i = 0; i < encoder.columns().size(); ++i) input.add_columns();
  for (const EncodedColumnPage& page : encoded.pages) {
    auto* to = input.mutable_columns(static_cast<int>(page.column))->add_pages();
    ARROW_RETURN_NOT_OK(minor == 0 ? ParseEncoding(page.page.encoding(), to->mutable_array())
                                   : ParseEncoding(page.page.encoding(), to->mutable_layout()));
    to->set_num_rows(page.page.length());
    for (const auto& buffer : page.buffers) to->add_buffers(buffer.ToString());
  }
  return input;
}

/// Rows of any type, dictionaries too.
inline std::shared_ptr<arrow::Array> RandomRows(const std::shared_ptr<arrow::DataType>& type, int64_t n,
                                                const testing::RandomColumn& options,
                                                std::mt19937_64& random) {
  if (type->id() != arrow::Type::DICTIONARY)
    return arrow::MakeArray(testing::RandomArray(type, n, options, random));
  const auto& dictionary = static_cast<const arrow::DictionaryType&>(*type);
  const auto builder = arrow::MakeBuilder(dictionary.index_type()).ValueOrDie();
  for (int64_t i = 0; i < n; ++i) {
    const bool null = std::bernoulli_distribution(options.nulls)(random);
    const auto key =
        arrow::MakeScalar(dictionary.index_type(), static_cast<int8_t>(random() % 4)).ValueOrDie();
    Require(null ? builder->AppendNull() : builder->AppendScalar(*key), "append");
  }
  testing::RandomColumn entries = options;
  entries.nulls = 0;
  const auto values = arrow::MakeArray(testing::RandomArray(dictionary.value_type(), 4, entries, random));
  return arrow::DictionaryArray::FromArrays(type, builder->Finish().ValueOrDie(), values).ValueOrDie();
}

/// Some rows of every field, where one of the pages is accepted; of a few types enough for several chunks.
inline std::vector<std::string> PageSeeds(const PageFilter& accept) {
  std::vector<std::string> seeds;
  std::mt19937_64 random(1);
  const auto add = [&](uint32_t field, int64_t num_rows, const testing::RandomColumn& options) {
    const auto rows = RandomRows(Fields()[field]->type(), num_rows, options, random);
    for (const uint32_t minor : {0, 1, 2}) {
      const auto input = EncodePages(field, minor, rows);
      if (!input.ok() || !HasPage(*input, accept)) continue;
      Require(FuzzDataFile(FileOf(*input), input->take()), "what the writer encodes is read");
      seeds.push_back(input->SerializeAsString());
    }
  };
  for (uint32_t field = 0; field < Fields().size(); ++field) {
    add(field, 9, {0, 20, true});
    add(field, 70, {0.3, 1, true});
    add(field, 70, {1, 1, true});
    const auto& type = *Fields()[field]->type();
    if (type.Equals(*arrow::int32()) || type.Equals(*arrow::list(arrow::int64())))
      add(field, 1300, {0.1, 1, true});
  }
  return seeds;
}

}  // namespace pilum::fuzz
