// SPDX-License-Identifier: Apache-2.0
//
// For tests: batches as files, and back.
#pragma once

#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "pilum/file/file_reader.h"
#include "pilum/file/file_writer.h"
#include "pilum/io/memory_store.h"

namespace pilum::testing {

inline arrow::Status WriteFile(ObjectStore* store, const std::string& path, const arrow::RecordBatch& batch,
                               FileWriterOptions options, int64_t rows_per_write) {
  ARROW_ASSIGN_OR_RAISE(auto schema, Schema::FromArrow(*batch.schema()));
  ARROW_ASSIGN_OR_RAISE(auto sink, store->Create(path, Durability::kProcessCrash));
  ARROW_ASSIGN_OR_RAISE(auto writer, FileWriter::Make(std::move(sink), schema, options));
  for (int64_t row = 0; row < batch.num_rows(); row += rows_per_write) {
    ARROW_RETURN_NOT_OK(writer->Write(*batch.Slice(row, rows_per_write)));
  }
  return writer->Finish().status();
}

inline arrow::Result<std::shared_ptr<FileReader>> OpenFile(ObjectStore* store, const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(auto object, store->Open(path));
  return FileReader::Open(std::move(object));
}

inline void ExpectEqual(const arrow::RecordBatch& got, const arrow::RecordBatch& want) {
  ASSERT_TRUE(got.Validate().ok()) << got.Validate().ToString();
  ASSERT_EQ(got.num_rows(), want.num_rows());
  for (int i = 0; i < want.num_columns(); ++i) {
    EXPECT_TRUE(got.column(i)->Equals(*want.column(i), arrow::EqualOptions::Defaults().nans_equal(true)))
        << want.schema()->field(i)->ToString();
  }
}

/// Writes a file of this version in one go, and reads all of it.
inline std::shared_ptr<FileReader> ExpectRoundTrip(const arrow::RecordBatch& batch, FormatVersion version) {
  auto store = MakeMemoryStore();
  FileWriterOptions options;
  options.version = version;
  const auto written = WriteFile(store.get(), "f", batch, options, batch.num_rows());
  EXPECT_TRUE(written.ok()) << batch.schema()->ToString() << ": " << written.ToString();
  if (!written.ok()) return nullptr;
  auto reader = OpenFile(store.get(), "f").ValueOrDie();
  const auto all = reader->ReadRange(reader->WholeFile(), 0, batch.num_rows(), arrow::default_memory_pool());
  EXPECT_TRUE(all.ok()) << all.status().ToString();
  if (all.ok()) ExpectEqual(**all, batch);
  return reader;
}

}  // namespace pilum::testing
