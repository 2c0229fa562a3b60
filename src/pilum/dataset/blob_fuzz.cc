// SPDX-License-Identifier: Apache-2.0
//
// Any descriptions of blobs: an error, or bytes of the object that is described, be they read one by one or
// as a column, and no more memory than those take.
#include "pilum/dataset/blob.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/util/key_value_metadata.h>

#include <algorithm>

#include "pilum/encoding/extension_storage.h"
#include "pilum/fuzz_input.pb.h"
#include "pilum/fuzz_message.h"
#include "pilum/io/memory_store.h"

namespace pilum {

namespace {

constexpr int kObjectBytes = 100;
constexpr char kDataFile[] = "f.lance";
constexpr int kMaxRows = 500;
constexpr int64_t kMaxMemory = 1 << 20;  // of kMaxRows whole objects, with room

/// A table whose data file and sidecars are objects with the bytes 0, 1, 2, ..., as is what URIs can name.
const StoreLocation& Table() {
  static const auto location = [] {
    std::string bytes;
    for (int i = 0; i < kObjectBytes; ++i) bytes.push_back(static_cast<char>(i));
    StoreLocation table{MakeMemoryStore(), "memory://table"};
    for (const std::string& path :
         {JoinPath("data", kDataFile), BlobSidecarPath(kDataFile, 1), BlobSidecarPath(kDataFile, 2)}) {
      Require(table.store->Put(path, AsSpan(bytes), Durability::kProcessCrash), "put");
    }
    Require(SharedMemoryStore()->Put("b/o", AsSpan(bytes), Durability::kProcessCrash), "put");
    return table;
  }();
  return location;
}

/// Whether a description can lead to files of this machine: then it is not followed.
bool LeavesMemory(const fuzz::Blobs::Description& row, const Manifest& manifest) {
  if (static_cast<BlobKind>(row.kind()) != BlobKind::kExternal) return false;
  const auto is_local = [](const std::string& uri) { return !uri.starts_with("memory://b/"); };
  if (row.blob_id() == 0) return is_local(row.blob_uri());
  const auto& bases = manifest.proto.base_paths();
  return std::ranges::any_of(bases, [&](const auto& base) { return is_local(base.path() + "/"); });
}

template <typename Builder, typename T>
void Append(arrow::StructBuilder* rows, int child, const T& value) {
  Require(static_cast<Builder*>(rows->field_builder(child))->Append(value), "append");
}

std::shared_ptr<arrow::StructArray> Descriptions(const fuzz::Blobs& input, const Manifest& manifest) {
  const auto builder = arrow::MakeBuilder(BlobV2DescriptionType()).ValueOrDie();
  auto* rows = static_cast<arrow::StructBuilder*>(builder.get());
  for (const auto& row : input.rows()) {
    if (rows->length() == kMaxRows) break;
    if (LeavesMemory(row, manifest)) continue;
    Require(rows->Append(!row.null()), "append");
    Append<arrow::UInt8Builder>(rows, 0, static_cast<uint8_t>(row.kind()));
    Append<arrow::UInt64Builder>(rows, 1, row.position());
    Append<arrow::UInt64Builder>(rows, 2, row.size());
    Append<arrow::UInt32Builder>(rows, 3, row.blob_id());
    Append<arrow::StringBuilder>(rows, 4, row.blob_uri());
  }
  return std::static_pointer_cast<arrow::StructArray>(builder->Finish().ValueOrDie());
}

using Values = std::vector<std::optional<std::string>>;

arrow::Result<Values> ReadEach(const arrow::StructArray& descriptions, BlobLocator* locator) {
  Values values;
  for (int64_t row = 0; row < descriptions.length(); ++row) {
    ARROW_ASSIGN_OR_RAISE(const auto blob, locator->Locate(descriptions, row, kDataFile));
    values.emplace_back();
    if (!blob) continue;
    const int64_t size = blob->size();
    ARROW_ASSIGN_OR_RAISE(const auto bytes, blob->Read(0, size));
    values.back() = bytes->ToString();
    Require(bytes->size() == size && size <= kObjectBytes, "as many bytes as are described");
    for (int64_t i = 0; i < size; ++i) {
      Require(bytes->data()[i] == blob->range().offset + i, "the bytes that are described");
    }
    const auto half = blob->Read(size / 2, size - size / 2);
    Require(half.status(), "a part of a value");
    Require((*half)->Equals(*arrow::SliceBuffer(bytes, size / 2)), "is what the whole has there");
    Require(blob->Read(1, size).status().IsIndexError(), "no byte behind the value");
  }
  return values;
}

void FuzzBlobs(const fuzz::Blobs& input) {
  Manifest manifest;
  *manifest.proto.mutable_base_paths() = input.base_paths();
  BlobLocator locator(Table(), manifest);
  const auto rows = Descriptions(input, manifest);
  const arrow::StructArray version_1(BlobV1DescriptionType(), rows->length(),
                                     {rows->field(1), rows->field(2)}, rows->null_bitmap());
  (void)ReadEach(version_1, &locator);
  const auto values = ReadEach(*rows, &locator);
  const auto field = arrow::field("b", arrow::struct_({arrow::field("data", arrow::large_binary())}), true,
                                  arrow::key_value_metadata({{kExtensionNameMetadata, kBlobV2Extension}}));
  const auto column = locator.ReadAll(rows, field, kDataFile, arrow::default_memory_pool());
  Require(column.ok() == values.ok(), "a column is read if each of its values is");
  Require(arrow::default_memory_pool()->max_memory() < kMaxMemory, "no more memory than the objects take");
  if (!column.ok()) return;
  RequireValid(**column);
  const auto& binary = static_cast<const arrow::LargeBinaryArray&>(**column);
  for (int64_t row = 0; row < binary.length(); ++row) {
    const auto& value = (*values)[static_cast<size_t>(row)];
    Require(binary.IsValid(row) == value.has_value(), "the same nulls");
    if (value) Require(binary.GetView(row) == *value, "the same bytes");
  }
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  fuzz::Blobs all;
  auto* base = all.add_base_paths();
  base->set_id(7);
  base->set_path("memory://b");
  const auto add = [&](BlobKind kind, uint64_t position, uint64_t size, uint32_t id, const char* uri) {
    auto* row = all.add_rows();
    row->set_kind(static_cast<uint32_t>(kind));
    row->set_position(position);
    row->set_size(size);
    row->set_blob_id(id);
    row->set_blob_uri(uri);
  };
  add(BlobKind::kInline, 10, 20, 0, "");
  add(BlobKind::kPacked, 0, 50, 1, "");
  add(BlobKind::kDedicated, 0, kObjectBytes, 2, "");
  add(BlobKind::kExternal, 0, 0, 0, "memory://b/o");
  add(BlobKind::kExternal, 5, 5, 7, "o");
  all.add_rows()->set_null(true);
  std::vector<std::string> seeds{all.SerializeAsString()};
  for (const auto& row : all.rows()) {
    fuzz::Blobs one;
    *one.mutable_base_paths() = all.base_paths();
    *one.add_rows() = row;
    seeds.push_back(one.SerializeAsString());
  }
  return seeds;
}

}  // namespace pilum

PILUM_FUZZ_MESSAGE(pilum::fuzz::Blobs, pilum::FuzzBlobs)
