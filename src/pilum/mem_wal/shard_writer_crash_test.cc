// SPDX-License-Identifier: Apache-2.0
//
// A ShardWriter that dies, or loses an answer, at every single request to its store, with and without a log
// to replay, and one that is killed.
#include <arrow/api.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "pilum/dataset/scanner.h"
#include "pilum/io/memory_store.h"
#include "pilum/io/observed_store.h"
#include "pilum/mem_wal/lsm_scanner.h"
#include "pilum/mem_wal/mem_wal_index.h"
#include "pilum/mem_wal/shard_paths.h"
#include "pilum/mem_wal/shard_writer.h"
#include "pilum/util/error.h"

namespace pilum {

namespace {

const Uuid kShard = *Uuid::Parse("11111111-2222-4333-8444-555555555555");
constexpr int kPuts = 7;

std::shared_ptr<arrow::Schema> SchemaOf(bool with_key) {
  const auto key = with_key ? arrow::key_value_metadata({{kPrimaryKeyMetadata, "true"}}) : nullptr;
  return arrow::schema({arrow::field("id", arrow::int64(), false, key), arrow::field("v", arrow::int64())});
}

std::shared_ptr<arrow::RecordBatch> Row(bool with_key, int64_t id, int64_t value) {
  arrow::Int64Builder ids, values;
  EXPECT_TRUE(ids.Append(id).ok() && values.Append(value).ok());
  return arrow::RecordBatch::Make(SchemaOf(with_key), 1,
                                  {ids.Finish().ValueOrDie(), values.Finish().ValueOrDie()});
}

std::shared_ptr<Dataset> CreateTable(const StoreLocation& location, bool with_key) {
  auto empty = arrow::RecordBatchReader::Make({}, SchemaOf(with_key)).ValueOrDie();
  const auto dataset = Dataset::Write(std::move(empty), location).ValueOrDie();
  return InitializeMemWalBuilder(dataset).Unsharded().Execute().ValueOrDie();
}

using IdsAndValues = std::multimap<int64_t, int64_t>;

void AddRows(const arrow::RecordBatch& rows, IdsAndValues* found) {
  const auto& ids = static_cast<const arrow::Int64Array&>(*rows.GetColumnByName("id"));
  const auto& values = static_cast<const arrow::Int64Array&>(*rows.GetColumnByName("v"));
  for (int64_t i = 0; i < rows.num_rows(); ++i) found->emplace(ids.Value(i), values.Value(i));
}

/// The rows of a shard without a key: what its writer has in memory, if given, and its generations.
IdsAndValues ListRows(const std::shared_ptr<Dataset>& dataset, const std::shared_ptr<ShardWriter>& writer) {
  IdsAndValues found;
  if (writer != nullptr) {
    for (const auto& memtable : writer->View()->memtables) {
      for (int64_t i = 0; i < memtable->num_visible(); ++i) AddRows(*memtable->batches()[i].batch, &found);
    }
  }
  const ShardSnapshot flushed =
      writer != nullptr ? writer->View()->flushed : ReadShardSnapshot(*dataset, kShard).ValueOrDie().value();
  for (const auto& generation : flushed.flushed_generations()) {
    const std::string path = JoinPath(ShardDirectory(kShard), generation.path);
    const auto table = Dataset::Open({SubStore(dataset->store(), path), path}).ValueOrDie();
    const auto scanner = table->NewScan({}).ValueOrDie();
    AddRows(*scanner->ToTable().ValueOrDie()->CombineChunksToBatch().ValueOrDie(), &found);
  }
  return found;
}

/// (id, v) of every row of the base table and the shard; with a writer also those in its memory.
IdsAndValues Scan(const std::shared_ptr<Dataset>& dataset, const std::shared_ptr<ShardWriter>& writer) {
  if (dataset->lance_schema()->PrimaryKey().empty()) return ListRows(dataset, writer);
  std::vector<ShardSnapshot> snapshots;
  if (writer == nullptr) snapshots.push_back(ReadShardSnapshot(*dataset, kShard).ValueOrDie().value());
  LsmDataSourceCollector sources(dataset, snapshots);
  if (writer != nullptr) sources.WithWriter(writer);
  const auto table =
      LsmScanner::Make(std::move(sources), {}, dataset->lance_schema()).ValueOrDie()->ToTable().ValueOrDie();
  IdsAndValues found;
  AddRows(*table->CombineChunksToBatch().ValueOrDie(), &found);
  return found;
}

/// Fails request number `at` (from 0), before it is made or after its effect; when `dead`, all later ones as
/// well.
class FaultAt final : public StoreObserver {
 public:
  FaultAt(int at, bool before, bool dead) : at_(at), before_(before), dead_(dead) {}

  arrow::Status Before(const StoreRequest& request) override {
    const int number = next_++;
    if (number > at_ && dead_) return Fault(request);
    if (number != at_) return arrow::Status::OK();
    if (before_) return Fault(request);
    fail_after_ = true;
    return arrow::Status::OK();
  }
  arrow::Status After(const StoreRequest& request) override {
    return fail_after_.exchange(false) ? Fault(request) : arrow::Status::OK();
  }
  /// Whether the request was reached.
  bool happened() const { return next_ > at_; }

 private:
  /// A dead process retries nothing. Here the writer does not retry what looks like fencing.
  arrow::Status Fault(const StoreRequest& request) const {
    const std::string message = "fault at " + std::string(ToString(request.operation)) + " " + request.path;
    if (!dead_) return arrow::Status::IOError(message);
    return MakeError(arrow::StatusCode::IOError, ErrorKind::kFencedWriter, message);
  }

  const int at_;
  const bool before_;
  const bool dead_;
  std::atomic<int> next_{0};
  std::atomic<bool> fail_after_{false};
};

/// What a run may leave behind.
struct Expected {
  IdsAndValues acknowledged;
  std::set<int64_t> unknown;  ///< values of puts that failed
};

/// @param max_batches of a memtable. @param first value. @param close false: the writer dies.
void RunPuts(const std::shared_ptr<Dataset>& dataset, bool with_key, int64_t max_batches, int64_t first,
             bool close, Expected* expected) {
  ShardWriterConfig config;
  config.max_memtable_batches = max_batches;
  const auto writer = ShardWriter::Open(dataset, kShard, config);
  if (!writer.ok()) return;
  for (int64_t i = first; i < first + kPuts; ++i) {
    if ((*writer)->Put(Row(with_key, i % 3, i)).ok()) {
      if (with_key) expected->acknowledged.erase(i % 3);
      expected->acknowledged.emplace(i % 3, i);
    } else {
      expected->unknown.insert(i);
    }
  }
  if (close) (void)(*writer)->Close();
}

/// Every acknowledged row once, besides it only rows of puts that failed, none twice.
void Check(const IdsAndValues& found, const Expected& expected, bool with_key) {
  std::set<int64_t> values;
  for (const auto& [id, value] : found) {
    EXPECT_TRUE(values.insert(value).second) << "value " << value << " twice";
    if (with_key) {
      EXPECT_EQ(found.count(id), 1) << "id " << id;
    }
    const auto [begin, end] = expected.acknowledged.equal_range(id);
    const bool known = std::any_of(begin, end, [&](const auto& row) { return row.second == value; });
    EXPECT_TRUE(known || expected.unknown.contains(value)) << "value " << value << " was never put last";
  }
  for (const auto& [id, value] : expected.acknowledged) {
    const bool replaced = with_key && found.contains(id) && expected.unknown.contains(found.find(id)->second);
    EXPECT_TRUE(values.contains(value) || replaced) << "acknowledged value " << value << " is lost";
  }
}

void CheckGenerations(const std::shared_ptr<Dataset>& dataset) {
  uint64_t next = 1;
  const ShardSnapshot snapshot = ReadShardSnapshot(*dataset, kShard).ValueOrDie().value();
  for (const auto& flushed : snapshot.flushed_generations()) {
    EXPECT_EQ(flushed.generation, next++) << "in order, none twice";
  }
}

class ShardWriterCrashTest : public ::testing::TestWithParam<std::tuple<bool, bool, bool, bool>> {};

}  // namespace

TEST_P(ShardWriterCrashTest, NothingIsLostOrDoubledWhicheverRequestFails) {
  const auto [with_key, before, dead, heir] = GetParam();
  int at = 0;
  for (bool happened = true; happened; ++at) {
    SCOPED_TRACE("request " + std::to_string(at));
    const auto memory = MakeMemoryStore();
    const auto dataset = CreateTable({memory, "table"}, with_key);
    const auto fault = std::make_shared<FaultAt>(at, before, dead);
    // The dataset is open already: all that fails is the writer's.
    const auto faulty = Dataset::FromManifest({ObserveStore(memory, fault), "table"},
                                              dataset->shared_manifest(), std::make_shared<Session>());
    Expected expected;
    // A log that its heir has to flush in parts while it replays.
    if (heir) RunPuts(dataset, with_key, 100, kPuts, false, &expected);
    RunPuts(faulty, with_key, 2, 0, true, &expected);
    happened = fault->happened();
    if (!happened) {
      EXPECT_EQ(expected.acknowledged.size(), with_key ? 3 : heir ? 2 * kPuts : kPuts);
      EXPECT_TRUE(expected.unknown.empty());
    }
    auto writer = ShardWriter::Open(dataset, kShard, {}).ValueOrDie();
    Check(Scan(dataset, writer), expected, with_key);
    ASSERT_TRUE(writer->Put(Row(with_key, 100, 100)).ok()) << "and the shard goes on";
    ASSERT_TRUE(writer->Close().ok());
    CheckGenerations(dataset);
    auto found = Scan(dataset, nullptr);
    EXPECT_EQ(found.erase(100), 1);
    Check(found, expected, with_key);
    if (HasFailure()) return;
  }
  EXPECT_GT(at, 60) << "the puts, flushes and manifests of the run";
}

INSTANTIATE_TEST_SUITE_P(Faults, ShardWriterCrashTest,
                         ::testing::Combine(::testing::Bool(), ::testing::Bool(), ::testing::Bool(),
                                            ::testing::Bool()),
                         [](const auto& info) {
                           return std::string(std::get<0>(info.param) ? "Key" : "NoKey") +
                                  (std::get<1>(info.param) ? "BeforeTheEffect" : "AfterTheEffect") +
                                  (std::get<2>(info.param) ? "ForGood" : "Once") +
                                  (std::get<3>(info.param) ? "ForAnHeir" : "");
                         });

// ---- a process that is killed ----

namespace {

constexpr char kChildDirectory[] = "PILUM_CRASH_TEST_DIRECTORY";
constexpr char kChildOutput[] = "PILUM_CRASH_TEST_OUTPUT";

/// A process of this program that puts 0, 1, 2, ... and writes each to a pipe once it is acknowledged.
class Child {
 public:
  explicit Child(const std::string& directory) {
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe(ends.data()), 0);
    std::vector<std::string> variables = {kChildDirectory + std::string("=") + directory,
                                          kChildOutput + std::string("=") + std::to_string(ends[1])};
    std::vector<char*> environment = {variables[0].data(), variables[1].data()};
    for (char** variable = environ; *variable != nullptr; ++variable) environment.push_back(*variable);
    environment.push_back(nullptr);
    std::vector<std::string> words = {"child", "--gtest_filter=ShardWriterKillTest.Child", "--gtest_brief=1"};
    std::vector<char*> arguments = {words[0].data(), words[1].data(), words[2].data(), nullptr};
    EXPECT_EQ(posix_spawn(&pid_, "/proc/self/exe", nullptr, nullptr, arguments.data(), environment.data()),
              0);
    close(ends[1]);
    input_ = ends[0];
  }
  ~Child() { close(input_); }

  /// The next acknowledged number, or none when the child has ended.
  std::optional<int64_t> Next() const {
    int64_t number = 0;
    if (read(input_, &number, sizeof(number)) != sizeof(number)) return std::nullopt;
    return number;
  }
  void Kill() const {
    kill(pid_, SIGKILL);
    int status = 0;
    waitpid(pid_, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "it ended by itself: " << status;
  }

 private:
  pid_t pid_ = -1;
  int input_ = -1;
};

}  // namespace

/// Not a test: what the child of the next one runs.
TEST(ShardWriterKillTest, Child) {
  const char* directory = std::getenv(kChildDirectory);
  if (directory == nullptr) GTEST_SKIP() << "only as the child of another test";
  const int output = std::atoi(std::getenv(kChildOutput));
  const auto dataset = Dataset::Open(directory).ValueOrDie();
  ShardWriterConfig config;
  config.max_memtable_batches = 16;
  const auto writer = ShardWriter::Open(dataset, kShard, config).ValueOrDie();
  const int64_t start = static_cast<int64_t>(Scan(dataset, writer).size());
  for (int64_t i = start;; ++i) {
    if (!writer->Put(Row(true, i, i)).ok()) return;
    if (write(output, &i, sizeof(i)) != sizeof(i)) return;
  }
}

TEST(ShardWriterKillTest, AcknowledgedRowsOutliveAKilledProcess) {
  const auto directory =
      std::filesystem::temp_directory_path() / ("pilum-kill-test-" + Uuid::Random().ToString());
  const auto dataset = CreateTable(ResolveUri(directory.string()).ValueOrDie(), true);
  int64_t acknowledged = 0;  // numbers below
  for (const int puts : {1, 17, 40, 90, 33}) {
    const Child child(directory.string());
    for (int i = 0; i < puts; ++i) {
      const auto number = child.Next();
      ASSERT_TRUE(number.has_value()) << "the child ended";
      acknowledged = *number + 1;
    }
    child.Kill();
    while (const auto number = child.Next()) acknowledged = *number + 1;
  }
  auto writer = ShardWriter::Open(dataset, kShard, {}).ValueOrDie();
  const auto found = Scan(dataset, writer);
  EXPECT_GE(acknowledged, 1 + 17 + 40 + 90 + 33);
  // The last put of each life may have reached the log without being acknowledged.
  EXPECT_GE(static_cast<int64_t>(found.size()), acknowledged);
  int64_t next = 0;
  for (const auto& [id, value] : found) {
    EXPECT_EQ(id, next++) << "no hole, no double";
    EXPECT_EQ(value, id);
  }
  writer = nullptr;
  std::filesystem::remove_all(directory);
}

}  // namespace pilum
