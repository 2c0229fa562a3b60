// SPDX-License-Identifier: Apache-2.0
#include "pilum/dataset/fragment_reader.h"

#include <arrow/array.h>
#include <arrow/array/util.h>

#include "pilum/util/error.h"

namespace pilum {

/// The columns of a projection that one data file holds.
struct FragmentReader::Group {
  const lance::table::DataFile* file = nullptr;
  FileProjection projection;
  std::vector<size_t> positions;  ///< in the projection of the whole
};

std::pair<const lance::table::DataFile*, int32_t> FindColumn(const lance::table::DataFragment& fragment,
                                                             int32_t id, FormatVersion version) {
  const bool by_id = version == FormatVersion::kLegacy;  // such files do not number their columns
  for (const auto& file : fragment.files()) {
    const int n = by_id ? file.fields_size() : std::min(file.fields_size(), file.column_indices_size());
    for (int i = 0; i < n; ++i) {
      if (file.fields(i) == id) return {&file, by_id ? id : file.column_indices(i)};
    }
  }
  return {nullptr, -1};
}

namespace {

/// The file that holds all columns of `column` and where in it they are, or null if no file has it.
arrow::Result<const lance::table::DataFile*> FindColumns(const lance::table::DataFragment& fragment,
                                                         const Projection::Column& column,
                                                         FormatVersion version,
                                                         std::vector<int32_t>* indices) {
  const lance::table::DataFile* holder = nullptr;
  for (const int32_t id : column.column_ids) {
    const auto [file, index] = FindColumn(fragment, id, version);
    if (!indices->empty() && file != holder) {
      return arrow::Status::NotImplemented("the parts of column ", column.field->name(),
                                           " in several data files of fragment ", fragment.id());
    }
    holder = file;
    indices->push_back(index);
  }
  return holder;
}

}  // namespace

arrow::Result<std::shared_ptr<FileReader>> FragmentReader::OpenFile(
    const lance::table::DataFile& file) const {
  const std::string path = JoinPath("data", file.path());
  if (file.has_base_id())
    return arrow::Status::NotImplemented("data files outside the table: ", location_.store->Describe(path));
  const int64_t size = file.file_size_bytes() == 0 ? -1 : static_cast<int64_t>(file.file_size_bytes());
  ARROW_ASSIGN_OR_RAISE(auto reader, session_.OpenFile(location_, path, size));
  if (reader->num_rows() != physical_rows()) {
    return CorruptFile(
        location_.store->Describe(path), -1,
        std::to_string(reader->num_rows()) + " rows in a fragment of " + std::to_string(physical_rows()));
  }
  return reader;
}

arrow::Result<std::vector<FragmentReader::Group>> FragmentReader::GroupByFile(
    const Projection& projection) const {
  std::vector<Group> groups;
  std::vector<arrow::FieldVector> fields;
  for (size_t i = 0; i < projection.columns().size(); ++i) {
    const Projection::Column& column = projection.columns()[i];
    if (column.kind != Projection::Column::kField) continue;
    std::vector<int32_t> indices;  // of column.column_ids
    ARROW_ASSIGN_OR_RAISE(const auto* file, FindColumns(fragment_, column, manifest_.data_version, &indices));
    if (file == nullptr) continue;
    size_t group = 0;
    while (group < groups.size() && groups[group].file != file) ++group;
    if (group == groups.size()) {
      groups.emplace_back().file = file;
      fields.emplace_back();
    }
    auto& all = groups[group].projection.column_indices;
    all.insert(all.end(), indices.begin(), indices.end());
    for (size_t k = 0; !column.packed_parts.empty() && k < indices.size(); ++k) {
      const auto part = column.packed_parts.find(column.column_ids[k]);
      if (part != column.packed_parts.end())
        groups[group].projection.packed_parts.emplace(indices[k], part->second);
    }
    groups[group].positions.push_back(i);
    fields[group].push_back(column.stored);
  }
  for (size_t group = 0; group < groups.size(); ++group) {
    groups[group].projection.schema = arrow::schema(std::move(fields[group]));
  }
  return groups;
}

template <typename Read, typename Offset>
arrow::Result<std::shared_ptr<arrow::RecordBatch>> FragmentReader::Assemble(const Projection& projection,
                                                                            int64_t num_rows,
                                                                            const Read& read,
                                                                            const Offset& offset_of,
                                                                            arrow::MemoryPool* pool) const {
  arrow::ArrayVector arrays(projection.columns().size());
  ARROW_ASSIGN_OR_RAISE(const auto groups, GroupByFile(projection));
  BlobLocator blobs(location_, manifest_);
  for (const Group& group : groups) {
    ARROW_ASSIGN_OR_RAISE(const auto file, OpenFile(*group.file));
    ARROW_ASSIGN_OR_RAISE(const auto rows, read(*file, group.projection));
    for (size_t i = 0; i < group.positions.size(); ++i) {
      const size_t at = group.positions[i];
      arrays[at] = rows->column(static_cast<int>(i));
      if (!projection.columns()[at].wants_blob_bytes) continue;
      ARROW_ASSIGN_OR_RAISE(
          arrays[at], blobs.ReadAll(arrays[at], projection.columns()[at].field, group.file->path(), pool));
    }
  }
  for (size_t i = 0; i < arrays.size(); ++i) {
    const Projection::Column& column = projection.columns()[i];
    if (arrays[i] != nullptr) continue;
    if (column.kind == Projection::Column::kField) {
      ARROW_ASSIGN_OR_RAISE(arrays[i], arrow::MakeArrayOfNull(column.shown->type(), num_rows, pool));
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> addresses,
                          arrow::AllocateBuffer(num_rows * 8, pool));
    auto* to = reinterpret_cast<uint64_t*>(addresses->mutable_data());
    for (int64_t row = 0; row < num_rows; ++row) to[row] = AddressOf(offset_of(row));
    arrays[i] = std::make_shared<arrow::UInt64Array>(num_rows, std::move(addresses));
  }
  arrow::ArrayVector outputs;
  outputs.reserve(projection.outputs().size());
  for (const Projection::Output& output : projection.outputs()) {
    std::shared_ptr<arrow::Array> array = arrays[output.column];
    for (const int child : output.path) {
      ARROW_ASSIGN_OR_RAISE(array,
                            static_cast<const arrow::StructArray&>(*array).GetFlattenedField(child, pool));
    }
    outputs.push_back(std::move(array));
  }
  return arrow::RecordBatch::Make(projection.schema(), num_rows, std::move(outputs));
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> FragmentReader::ReadRange(const Projection& projection,
                                                                             int64_t begin, int64_t end,
                                                                             arrow::MemoryPool* pool) const {
  const auto read = [&](FileReader& file, const FileProjection& columns) {
    return file.ReadRange(columns, begin, end, pool);
  };
  return Assemble(projection, end - begin, read, [&](int64_t row) { return begin + row; }, pool);
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> FragmentReader::Take(const Projection& projection,
                                                                        std::span<const int64_t> offsets,
                                                                        arrow::MemoryPool* pool) const {
  const auto read = [&](FileReader& file, const FileProjection& columns) {
    return file.Take(columns, offsets, pool);
  };
  return Assemble(
      projection, static_cast<int64_t>(offsets.size()), read,
      [&](int64_t row) { return offsets[static_cast<size_t>(row)]; }, pool);
}

}  // namespace pilum
