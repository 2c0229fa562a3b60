// SPDX-License-Identifier: Apache-2.0
//
// pilum_file_tool: what tests/interop/test_file_interop.py asks of Pilum's data files, many files a call.
//
//   pilum_file_tool check DIR        compares DIR/<case>.lance with DIR/<case>.arrow: scan, ranges and takes
//   pilum_file_tool write DIR OUT    writes DIR/<case>.arrow as OUT/<case>.lance
//
// DIR/cases.txt holds a line "<version> <case>" per file. Failures are printed as "FAIL <case>: ..."; the
// last line counts the files.
#include <arrow/array.h>
#include <arrow/compute/initialize.h>
#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/table.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <random>
#include <string>

#include "pilum/file/file_reader.h"
#include "pilum/file/file_writer.h"
#include "pilum/io/local_store.h"

namespace pilum {

namespace {

struct Case {
  std::string version;
  std::string name;
};

arrow::Result<std::vector<Case>> ReadCases(const std::string& directory) {
  std::ifstream file(directory + "/cases.txt");
  if (!file) return arrow::Status::IOError(directory, "/cases.txt cannot be opened");
  std::vector<Case> cases;
  for (Case entry; file >> entry.version >> entry.name;) cases.push_back(entry);
  return cases;
}

arrow::Result<std::shared_ptr<arrow::Table>> LoadArrow(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(path));
  ARROW_ASSIGN_OR_RAISE(auto reader, arrow::ipc::RecordBatchFileReader::Open(file));
  return reader->ToTable();
}

/// The type with entries in place of keys: the order of the entries of a dictionary is free.
std::shared_ptr<arrow::DataType> WithoutDictionaries(const std::shared_ptr<arrow::DataType>& type) {
  if (type->id() == arrow::Type::DICTIONARY)
    return static_cast<const arrow::DictionaryType&>(*type).value_type();
  if (type->id() != arrow::Type::LIST) return type;
  return arrow::list(type->field(0)->WithType(WithoutDictionaries(type->field(0)->type())));
}

arrow::Status CheckEqual(const arrow::RecordBatch& got, const arrow::RecordBatch& want,
                         const std::string& what) {
  ARROW_RETURN_NOT_OK(got.ValidateFull());
  if (got.num_columns() != want.num_columns() || got.num_rows() != want.num_rows()) {
    return arrow::Status::Invalid(what, ": ", got.num_rows(), " rows of ", got.num_columns(), " columns");
  }
  for (int i = 0; i < want.num_columns(); ++i) {
    if (!got.schema()->field(i)->type()->Equals(*want.schema()->field(i)->type())) {
      return arrow::Status::Invalid(what, ": ", got.schema()->field(i)->ToString());
    }
    auto left = got.column(i), right = want.column(i);
    if (const auto plain = WithoutDictionaries(left->type()); !plain->Equals(*left->type())) {
      ARROW_ASSIGN_OR_RAISE(auto left_values, arrow::compute::Cast(left, plain));
      ARROW_ASSIGN_OR_RAISE(auto right_values, arrow::compute::Cast(right, plain));
      left = left_values.make_array(), right = right_values.make_array();
    }
    std::stringstream difference;
    if (!left->Equals(*right, arrow::EqualOptions::Defaults().nans_equal(true).diff_sink(&difference))) {
      return arrow::Status::Invalid(what, ": ", got.schema()->field(i)->ToString(), " ",
                                    difference.str().substr(0, 200));
    }
  }
  return arrow::Status::OK();
}

/// The rows of `batch`, by the slow way.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> Rows(const arrow::RecordBatch& batch,
                                                        const std::vector<int64_t>& rows) {
  arrow::Int64Builder indices;
  ARROW_RETURN_NOT_OK(indices.AppendValues(rows));
  ARROW_ASSIGN_OR_RAISE(auto array, indices.Finish());
  ARROW_ASSIGN_OR_RAISE(auto taken, arrow::compute::Take(arrow::Datum(batch.Slice(0)), arrow::Datum(array)));
  return taken.record_batch();
}

arrow::Status Check(const std::string& path, const arrow::RecordBatch& want, std::mt19937_64& random) {
  auto store = MakeLocalStore("/");
  ARROW_ASSIGN_OR_RAISE(auto object, store->Open(path.substr(1)));
  ARROW_ASSIGN_OR_RAISE(auto reader, FileReader::Open(std::move(object)));
  auto* pool = arrow::default_memory_pool();
  const auto projection = reader->WholeFile();
  const int64_t n = reader->num_rows();
  ARROW_ASSIGN_OR_RAISE(const auto all, reader->ReadRange(projection, 0, n, pool));
  ARROW_RETURN_NOT_OK(CheckEqual(*all, want, "scan"));
  const auto below = [&](int64_t end) {
    return static_cast<int64_t>(random() % static_cast<uint64_t>(std::max<int64_t>(end, 1)));
  };
  for (int round = 0; round < 3 && n > 0; ++round) {
    const int64_t begin = below(n), end = begin + below(n - begin + 1);
    ARROW_ASSIGN_OR_RAISE(const auto range, reader->ReadRange(projection, begin, end, pool));
    ARROW_RETURN_NOT_OK(CheckEqual(*range, *want.Slice(begin, end - begin), "range"));
    std::vector<int64_t> rows;
    const int64_t step = round == 0 ? 3 : 400;
    for (int64_t row = below(step); row < n; row += 1 + below(step)) rows.push_back(row);
    ARROW_ASSIGN_OR_RAISE(const auto taken, reader->Take(projection, rows, pool));
    ARROW_ASSIGN_OR_RAISE(const auto chosen, Rows(want, rows));
    ARROW_RETURN_NOT_OK(CheckEqual(*taken, *chosen, "take"));
  }
  return arrow::Status::OK();
}

arrow::Status Write(const std::string& path, const std::string& version, const arrow::Table& table) {
  FileWriterOptions options;
  ARROW_ASSIGN_OR_RAISE(options.version, ParseFormatVersion(version));
  if (path.find("-pages-") != std::string::npos) options.page_bytes = 50'000;
  ARROW_ASSIGN_OR_RAISE(auto schema, Schema::FromArrow(*table.schema()));
  auto store = MakeLocalStore("/");
  ARROW_ASSIGN_OR_RAISE(auto sink, store->Create(path.substr(1), Durability::kProcessCrash));
  ARROW_ASSIGN_OR_RAISE(auto writer, FileWriter::Make(std::move(sink), schema, options));
  arrow::TableBatchReader batches(table);
  batches.set_chunksize(2000);
  while (true) {
    ARROW_ASSIGN_OR_RAISE(auto batch, batches.Next());
    if (batch == nullptr) break;
    ARROW_RETURN_NOT_OK(writer->Write(*batch));
  }
  return writer->Finish().status();
}

arrow::Result<bool> Run(const std::string& command, const std::string& directory, const std::string& out) {
  ARROW_RETURN_NOT_OK(arrow::compute::Initialize());
  std::mt19937_64 random(1);
  ARROW_ASSIGN_OR_RAISE(const auto cases, ReadCases(directory));
  bool all_good = true;
  for (const Case& entry : cases) {
    const std::string path = directory + "/" + entry.name;
    ARROW_ASSIGN_OR_RAISE(const auto table, LoadArrow(path + ".arrow"));
    arrow::Status status;
    if (command == "check") {
      ARROW_ASSIGN_OR_RAISE(const auto batch, table->CombineChunksToBatch());
      status = Check(path + ".lance", *batch, random);
    } else {
      status = Write(out + "/" + entry.name + ".lance", entry.version, *table);
    }
    if (status.ok()) continue;
    all_good = false;
    std::cout << "FAIL " << entry.name << ": " << status.ToString() << "\n";
  }
  std::cout << cases.size() << " files" << std::endl;
  return all_good;
}

}  // namespace

}  // namespace pilum

int main(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  if (!(command == "check" && argc == 3) && !(command == "write" && argc == 4)) {
    std::cerr << "usage: pilum_file_tool check DIR | pilum_file_tool write DIR OUT\n";
    return 2;
  }
  const auto result = pilum::Run(command, argv[2], argc == 4 ? argv[3] : "");
  if (!result.ok()) std::cerr << result.status().ToString() << "\n";
  return result.ok() && *result ? 0 : 1;
}
