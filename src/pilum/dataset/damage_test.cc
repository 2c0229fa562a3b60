// SPDX-License-Identifier: Apache-2.0
//
// Tables of which one file is damaged: every use ends, with an answer or with an error that names a file.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "pilum/dataset/test_tables.h"

namespace pilum {

namespace {

constexpr int kTruncations = 24;    // of each file, beside the empty one
constexpr size_t kFlipStride = 41;  // in bits; odd, so that all bits of bytes have their turn

/// A table with all kinds of files: data, both kinds of deletion files, a BTree, manifests, transactions.
class DamageTest : public DatasetTest {
 protected:
  void SetUp() override {
    auto dataset = Delete(Create(60, 30), 0, {1, 2, 9});
    dataset = Delete(dataset, 1, {0, 2, 4, 20}, DeletionFileKind::kBitmap);
    dataset = AddIndex(dataset, 2);
    AddFiles("");
    newest_manifest_ = ManifestPath(dataset->version(), ManifestNaming::kV2);
    for (const auto& answer : Use(files_)) expected_.push_back(answer.ValueOrDie());
  }

  /// Each use of the table that consists of `files`: what it answers.
  static std::vector<arrow::Result<arrow::Datum>> Use(const std::map<std::string, std::string>& files) {
    StoreLocation location{MakeMemoryStore(), "memory://table"};
    for (const auto& [path, bytes] : files)
      EXPECT_TRUE(location.store->Put(path, AsSpan(bytes), Durability::kProcessCrash).ok());
    const auto opened = Dataset::Open(location);
    if (!opened.ok()) return {opened.status()};
    const Dataset& dataset = **opened;
    std::vector<arrow::Result<arrow::Datum>> answers;
    answers.push_back(ToDatum(dataset.CountRows()));
    for (const char* filter : {"", "a = 5", "a IN (3, 40, 59)", "s = 's5'"}) {
      ScanOptions options;
      options.filter = filter;
      answers.push_back(Scan(dataset, options));
    }
    ScanOptions piece;
    piece.offset = 25;
    piece.limit = 3;
    piece.with_row_id = true;
    answers.push_back(Scan(dataset, piece));
    answers.push_back(ToDatum(dataset.Take(std::vector<int64_t>{0, 40, 3})));
    answers.push_back(CountAfterAppend(location));
    return answers;
  }

  /// Where a file lost bytes, it is noticed or the bytes do not matter.
  void ExpectAnswersOrErrorsThatName(const std::string& path,
                                     const std::map<std::string, std::string>& files) {
    const auto answers = Use(files);
    for (size_t i = 0; i < answers.size(); ++i) {
      if (answers[i].ok()) {
        EXPECT_TRUE(answers[i]->Equals(expected_[i]))
            << path << " use " << i << ": " << answers[i]->ToString();
      } else {
        EXPECT_NE(answers[i].status().message().find(path), std::string::npos) << answers[i].status();
      }
    }
  }

  std::map<std::string, std::string> files_;  // path to bytes
  std::string newest_manifest_;

 private:
  template <typename Value>
  static arrow::Result<arrow::Datum> ToDatum(const arrow::Result<Value>& value) {
    if (!value.ok()) return value.status();
    return arrow::Datum(*value);
  }

  static arrow::Result<arrow::Datum> Scan(const Dataset& dataset, const ScanOptions& options) {
    ARROW_ASSIGN_OR_RAISE(const auto scanner, dataset.NewScan(options));
    return ToDatum(scanner->ToTable());
  }

  static arrow::Result<arrow::Datum> CountAfterAppend(const StoreLocation& location) {
    WriteOptions options;
    options.mode = WriteMode::kAppend;
    ARROW_ASSIGN_OR_RAISE(auto reader, arrow::RecordBatchReader::Make({Sequence(60, 61)}));
    ARROW_ASSIGN_OR_RAISE(const auto dataset, Dataset::Write(std::move(reader), location, options));
    return ToDatum(dataset->CountRows());
  }

  void AddFiles(const std::string& directory) {
    const auto listing = location_.store->List(directory).ValueOrDie();
    for (const auto& object : listing.objects) {
      const std::string path = JoinPath(directory, object.name);
      files_[path] = AsStringView(*location_.store->Get(path).ValueOrDie());
    }
    for (const auto& name : listing.directories) AddFiles(JoinPath(directory, name));
  }

  std::vector<arrow::Datum> expected_;
};

}  // namespace

TEST_F(DamageTest, TheTableHasEveryKindOfFile) {
  std::map<std::string, int> kinds;
  for (const auto& [path, bytes] : files_) ++kinds[path.substr(0, path.find('/'))];
  EXPECT_EQ(kinds,
            (std::map<std::string, int>{
                {"data", 2}, {"_deletions", 2}, {"_indices", 2}, {"_transactions", 4}, {"_versions", 4}}));
}

TEST_F(DamageTest, AMissingFileIsNamed) {
  for (const auto& [path, bytes] : files_) {
    if (path == newest_manifest_) continue;  // without it the table is the version before
    auto files = files_;
    files.erase(path);
    ExpectAnswersOrErrorsThatName(path, files);
  }
}

TEST_F(DamageTest, ATruncatedFileIsNamed) {
  for (const auto& [path, bytes] : files_) {
    for (size_t i = 0; i <= kTruncations; ++i) {
      auto files = files_;
      files[path].resize(std::min(bytes.size() * i / kTruncations, bytes.size() - 1));
      ExpectAnswersOrErrorsThatName(path, files);
    }
  }
}

TEST_F(DamageTest, AFileFullOfGarbageIsNamed) {
  std::mt19937 random(7);
  for (const auto& [path, bytes] : files_) {
    for (const char fill : {'\0', '\xFF', 'x'}) {
      auto files = files_;
      files[path] = std::string(bytes.size(), fill);
      ExpectAnswersOrErrorsThatName(path, files);
    }
    auto files = files_;
    for (char& byte : files[path]) byte = static_cast<char>(random());
    ExpectAnswersOrErrorsThatName(path, files);
  }
}

TEST_F(DamageTest, AFlippedBitIsAnErrorThatNamesAFileOrAnotherValue) {
  int errors = 0;
  for (const auto& [path, bytes] : files_) {
    const bool is_manifest = path.starts_with("_versions");
    for (size_t bit = 0; bit < bytes.size() * 8; bit += kFlipStride) {
      auto files = files_;
      files[path][bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
      const auto answers = Use(files);
      for (const auto& answer : answers) {
        if (answer.ok()) continue;
        ++errors;
        // A manifest that parses is believed: errors are about what it leads to.
        if (is_manifest) continue;
        const std::string& message = answer.status().message();
        EXPECT_NE(message.find(path), std::string::npos) << path << " bit " << bit << ": " << message;
      }
    }
  }
  EXPECT_GT(errors, 100);
}

}  // namespace pilum
