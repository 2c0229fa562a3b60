// SPDX-License-Identifier: Apache-2.0
//
// Any pages, page table, schema and metadata as a file of version 0.1: an error, or the same rows whether
// they are read together, as a range or one by one.
#include "pilum/file/legacy_file_reader.h"

#include "pilum/file/page_fuzz.h"
#include "pilum/file/test_legacy_file.h"
#include "pilum/fuzz_message.h"
#include "pilum_proto/table.pb.h"

namespace pilum {

namespace {

constexpr int64_t kTail = 16;

void AppendMessage(const google::protobuf::Message& message, std::string* file) {
  const std::string bytes = message.SerializeAsString();
  AppendLE<uint32_t>(file, static_cast<uint32_t>(bytes.size()));
  *file += bytes;
}

std::string FileOf(const fuzz::LegacyFile& input) {
  std::string file = input.pages();
  lance::file::Metadata metadata = input.metadata();
  metadata.set_manifest_position(file.size());
  AppendMessage(input.manifest(), &file);
  const uint64_t metadata_position = file.size();
  AppendMessage(metadata, &file);
  AppendLE<uint64_t>(&file, metadata_position);
  AppendLE<uint16_t>(&file, 0);
  AppendLE<uint16_t>(&file, 2);
  return file + "LANC";
}

void FuzzLegacyFile(const fuzz::LegacyFile& input) {
  const std::string bytes = FileOf(input);
  const bool good = fuzz::FuzzDataFile(bytes, input.take()).ok();
  const auto reader = FileReader::Open(std::make_shared<fuzz::ExactObject>(bytes));
  if (!reader.ok() || (*reader)->num_rows() > fuzz::kMaxRows) return;
  Require((*reader)->version() == FormatVersion::kLegacy, "a file of version 0.1");
  const int64_t n = (*reader)->num_rows();
  const auto file = (*reader)->WholeFile();
  const auto begin = static_cast<int64_t>(input.begin() % static_cast<uint64_t>(n + 1));
  const auto end = begin + static_cast<int64_t>(input.end() % static_cast<uint64_t>(n - begin + 1));
  const auto some = (*reader)->ReadRange(file, begin, end, arrow::default_memory_pool());
  if (some.ok()) RequireValid(**some);
  if (!good) return;
  Require(some.status(), "a range of a good file");
  const auto all = (*reader)->ReadRange(file, 0, n, arrow::default_memory_pool()).ValueOrDie();
  Require((*some)->Equals(*all->Slice(begin, end - begin), /*check_metadata=*/false,
                          arrow::EqualOptions().nans_equal(true)),
          "a range gives the rows of the file");
}

/// The file of pylance.
fuzz::LegacyFile WrittenFile() {
  const std::string file = testing::LegacyFileBytes();
  const auto parse = [&](size_t at, google::protobuf::Message* message) {
    Require(message->ParseFromArray(file.data() + at + 4, LoadLE<int32_t>(&file[at])), "a message");
  };
  fuzz::LegacyFile input;
  parse(LoadLE<uint64_t>(&file[file.size() - kTail]), input.mutable_metadata());
  parse(input.metadata().manifest_position(), input.mutable_manifest());
  input.set_pages(file.substr(0, input.metadata().manifest_position()));
  return input;
}

/// Two batches of one column, every page of which is the same zeros.
fuzz::LegacyFile FileOfZeros(const std::shared_ptr<arrow::DataType>& type) {
  constexpr uint64_t kRows = 4, kPageBytes = 2048;
  fuzz::LegacyFile input;
  input.mutable_pages()->resize(kPageBytes);
  const auto schema = Schema::FromArrow(*arrow::schema({arrow::field("c", type)})).ValueOrDie();
  schema->ToProto(input.mutable_manifest()->mutable_fields(),
                  input.mutable_manifest()->mutable_schema_metadata());
  for (auto& field : *input.mutable_manifest()->mutable_fields()) field.mutable_dictionary()->set_length(1);
  for (int page = 0; page < 2 * input.manifest().fields_size(); ++page) {
    AppendLE<uint64_t>(input.mutable_pages(), 0);
    AppendLE<uint64_t>(input.mutable_pages(), kRows);
  }
  for (const uint64_t row : {uint64_t{0}, kRows, 2 * kRows}) {
    input.mutable_metadata()->add_batch_offsets(static_cast<int32_t>(row));
  }
  input.mutable_metadata()->set_page_table_position(kPageBytes);
  return input;
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  auto types = testing::LeafTypes();
  const auto nested = testing::NestedTypes(false);
  types.insert(types.end(), nested.begin(), nested.end());
  types.push_back(arrow::dictionary(arrow::int8(), arrow::utf8()));
  std::vector<fuzz::LegacyFile> inputs{WrittenFile()};
  for (const auto& type : types) inputs.push_back(FileOfZeros(type));
  std::vector<std::string> seeds;
  for (fuzz::LegacyFile& input : inputs) {
    input.set_take(0x5555);
    input.set_begin(1);
    input.set_end(3);
    seeds.push_back(input.SerializeAsString());
  }
  return seeds;
}

}  // namespace pilum

PILUM_FUZZ_MESSAGE(pilum::fuzz::LegacyFile, pilum::FuzzLegacyFile)
