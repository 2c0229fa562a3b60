// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a data file: opening, describing, reading and taking end in a status, whatever they are.
#include "pilum/file/file_reader.h"

#include "pilum/encoding/blob_field.h"
#include "pilum/file/file_writer.h"
#include "pilum/file/page_fuzz.h"
#include "pilum/file/test_legacy_file.h"
#include "pilum/io/memory_store.h"

namespace pilum {

namespace {

/// A file of all columns the version can hold.
std::string WriteFile(FormatVersion version, const testing::RandomColumn& options) {
  std::mt19937_64 random(1);
  auto types = testing::LeafTypes();
  const auto nested = testing::NestedTypes(version == FormatVersion::k2_2);
  if (version != FormatVersion::k2_0) types.insert(types.end(), nested.begin(), nested.end());
  auto batch = testing::RandomBatch(types, 20, options, random);
  if (version != FormatVersion::k2_2) {
    const auto blob = arrow::field("blob", arrow::large_binary(), true,
                                   arrow::key_value_metadata({{kBlobMetadata, "true"}}));
    const auto values = testing::RandomArray(blob->type(), batch->num_rows(), options, random);
    batch = batch->AddColumn(0, blob, arrow::MakeArray(values)).ValueOrDie();
  }
  const auto store = MakeMemoryStore();
  FileWriterOptions writer_options;
  writer_options.version = version;
  const auto writer = FileWriter::Make(store->Create("f", Durability::kProcessCrash).ValueOrDie(),
                                       Schema::FromArrow(*batch->schema()).ValueOrDie(), writer_options)
                          .ValueOrDie();
  Require(writer->Write(*batch), "write");
  Require(writer->AddGlobalBuffer(AsSpan("a global buffer")).status(), "add a global buffer");
  Require(writer->Finish().status(), "finish");
  return store->Get("f").ValueOrDie()->ToString();
}

/// A file of one column.
std::string WriteColumn(uint32_t field, uint32_t minor) {
  std::mt19937_64 random(1);
  const auto rows = fuzz::RandomRows(fuzz::Fields()[field]->type(), 30, {0.2, 1, true}, random);
  const auto input = fuzz::EncodePages(field, minor, rows);
  return input.ok() ? fuzz::FileOf(*input) : "";
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> seeds{testing::LegacyFileBytes()};
  for (const auto version : {FormatVersion::k2_0, FormatVersion::k2_1, FormatVersion::k2_2}) {
    seeds.push_back(WriteFile(version, {0.2, 5, true}));
  }
  for (uint32_t field = 0; field < fuzz::Fields().size(); field += 4) {
    for (const uint32_t minor : {0, 1, 2}) {
      std::string file = WriteColumn(field, minor);
      if (!file.empty()) seeds.push_back(std::move(file));
    }
  }
  return seeds;
}

}  // namespace pilum

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto reader = pilum::FileReader::Open(std::make_shared<pilum::fuzz::ExactObject>(bytes));
  if (!reader.ok()) return 0;
  (void)(*reader)->Describe();
  (void)(*reader)->ReadGlobalBuffer(1);
  (void)pilum::fuzz::FuzzDataFile(bytes, 0x5555);
  return 0;
}
