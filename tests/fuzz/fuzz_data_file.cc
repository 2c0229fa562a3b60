// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a data file: opening, scanning and taking must end in a status, whatever they are. With
// "--seeds DIR" it writes small files of every kind to DIR, to start from.
#include <arrow/compute/initialize.h>
#include <google/protobuf/stubs/logging.h>

#include <cstdlib>
#include <cstring>
#include <random>
#include <string>

#include "pilum/file/file_reader.h"
#include "pilum/file/file_writer.h"
#include "pilum/file/random_batch.h"
#include "pilum/io/local_store.h"
#include "pilum/io/memory_store.h"

namespace pilum {

namespace {

constexpr int64_t kMaxRows = 100'000;  // a claim beyond this would be time spent on constants

arrow::Status ReadAll(ObjectStore* store) {
  ARROW_ASSIGN_OR_RAISE(auto object, store->Open("f"));
  ARROW_ASSIGN_OR_RAISE(auto reader, FileReader::Open(std::move(object)));
  const int64_t n = reader->num_rows();
  if (n > kMaxRows) return arrow::Status::OK();
  const auto whole = reader->WholeFile();
  auto* pool = arrow::default_memory_pool();
  if (n > 0) {
    const std::vector<int64_t> rows{n / 2};
    (void)reader->Take(whole, rows, pool);
  }
  ARROW_ASSIGN_OR_RAISE(const auto batch, reader->ReadRange(whole, 0, n, pool));
  return batch->Validate();
}

arrow::Status WriteSeed(ObjectStore* store, const std::string& name, const arrow::RecordBatch& batch,
                        FormatVersion version) {
  FileWriterOptions options;
  options.version = version;
  ARROW_ASSIGN_OR_RAISE(auto schema, Schema::FromArrow(*batch.schema()));
  ARROW_ASSIGN_OR_RAISE(auto sink, store->Create(name, Durability::kProcessCrash));
  ARROW_ASSIGN_OR_RAISE(auto writer, FileWriter::Make(std::move(sink), schema, options));
  ARROW_RETURN_NOT_OK(writer->Write(batch));
  return writer->Finish().status();
}

arrow::Status WriteSeeds(const std::string& directory) {
  auto store = MakeLocalStore(directory);
  std::mt19937_64 random(1);
  int number = 0;
  for (const auto version : {FormatVersion::k2_0, FormatVersion::k2_1, FormatVersion::k2_2}) {
    auto types = testing::LeafTypes();
    if (version != FormatVersion::k2_0) {
      const auto nested = testing::NestedTypes(version == FormatVersion::k2_2);
      types.insert(types.end(), nested.begin(), nested.end());
    }
    for (const auto& type : types) {
      for (const double nulls : {0.0, 0.2}) {
        const auto batch = testing::RandomBatch({type}, 40, {nulls, 20, true}, random);
        ARROW_RETURN_NOT_OK(WriteSeed(store.get(), std::to_string(number++), *batch, version));
      }
    }
  }
  return arrow::Status::OK();
}

}  // namespace

}  // namespace pilum

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  google::protobuf::SetLogHandler(nullptr);
  if (!arrow::compute::Initialize().ok()) std::abort();
  if (*argc == 3 && std::strcmp((*argv)[1], "--seeds") == 0) {
    const auto status = pilum::WriteSeeds((*argv)[2]);
    if (!status.ok()) status.Abort("--seeds");
    std::exit(0);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto store = pilum::MakeMemoryStore();
  if (store->Put("f", {data, size}, pilum::Durability::kProcessCrash).ok()) (void)pilum::ReadAll(store.get());
  return 0;
}
