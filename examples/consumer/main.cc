// SPDX-License-Identifier: Apache-2.0
//
// The smallest program that streams rows into a table and looks one up: consumer <table>.
#include <arrow/api.h>
#include <arrow/compute/initialize.h>
#include <pilum/dataset/dataset.h>
#include <pilum/mem_wal/lsm_point_lookup_planner.h>
#include <pilum/mem_wal/mem_wal_index.h>
#include <pilum/mem_wal/shard_writer.h>

#include <iostream>

arrow::Status Run(const std::string& uri) {
  ARROW_RETURN_NOT_OK(arrow::compute::Initialize());
  const auto key = arrow::key_value_metadata({{pilum::kPrimaryKeyMetadata, "true"}});
  const auto schema =
      arrow::schema({arrow::field("id", arrow::int64(), false, key), arrow::field("name", arrow::utf8())});
  ARROW_ASSIGN_OR_RAISE(auto nothing, arrow::RecordBatchReader::Make({}, schema));
  ARROW_ASSIGN_OR_RAISE(auto table, pilum::Dataset::Write(nothing, uri));
  ARROW_ASSIGN_OR_RAISE(table, pilum::InitializeMemWalBuilder(table).Unsharded().Execute());
  ARROW_ASSIGN_OR_RAISE(const auto writer, pilum::ShardWriter::Open(table, pilum::Uuid::Random(), {}));

  arrow::Int64Builder ids;
  arrow::StringBuilder names;
  for (int64_t i = 0; i < 3; ++i) {
    ARROW_RETURN_NOT_OK(ids.Append(i));
    ARROW_RETURN_NOT_OK(names.Append("row " + std::to_string(i)));
  }
  ARROW_ASSIGN_OR_RAISE(const auto id_column, ids.Finish());
  ARROW_ASSIGN_OR_RAISE(const auto name_column, names.Finish());
  ARROW_RETURN_NOT_OK(
      writer->Put(arrow::RecordBatch::Make(schema, 3, {id_column, name_column})));  // durable, visible

  pilum::LsmDataSourceCollector sources(table, {});
  sources.WithWriter(writer);
  ARROW_ASSIGN_OR_RAISE(const auto planner,
                        pilum::LsmPointLookupPlanner::Make(sources, {}, table->lance_schema()));
  ARROW_ASSIGN_OR_RAISE(const auto row, planner->Lookup({arrow::MakeScalar(int64_t{1})}));
  std::cout << row->ToString();
  return writer->Close();
}

int main(int argc, char** argv) {
  const auto status = argc == 2 ? Run(argv[1]) : arrow::Status::Invalid("usage: consumer <table>");
  if (!status.ok()) std::cerr << status.message() << '\n';
  return status.ok() ? 0 : 1;
}
