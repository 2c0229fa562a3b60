// SPDX-License-Identifier: Apache-2.0
#include "supervisor.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "events.h"
#include "shared_board.h"

namespace departure_board {

namespace {

using Clock = std::chrono::steady_clock;

/// Starts this very program with other arguments.
pid_t Start(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "/proc/self/exe");
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  std::fflush(stdout);  // what was printed so far comes before what the child prints
  const pid_t child = fork();
  if (child == 0) {
    execv(argv[0], argv.data());
    std::perror("execv");
    _exit(127);
  }
  return child;
}

/// @return the exit code, or 128 + signal.
int Wait(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool HasEnded(pid_t child, int* code) {
  int status = 0;
  if (waitpid(child, &status, WNOHANG) != child) return false;
  *code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return true;
}

void ShowProgress(uint64_t done, uint64_t total, const char* what) {
  if (isatty(STDERR_FILENO) == 0) return;
  constexpr int kWidth = 40;
  const int filled = static_cast<int>(total == 0 ? kWidth : done * kWidth / total);
  std::fprintf(stderr, "\r  [%s%s] %llu of %llu %s ", std::string(filled, '#').c_str(),
               std::string(kWidth - filled, '.').c_str(), static_cast<unsigned long long>(done),
               static_cast<unsigned long long>(total), what);
  if (done >= total) std::fputc('\n', stderr);
}

/// Watches a streaming child; kills it once `kill_at` events are acknowledged (0: never). @return its exit
/// code.
int Watch(pid_t child, SharedBoard& board, uint64_t num_events, uint64_t kill_at) {
  int code = 0;
  while (!HasEnded(child, &code)) {
    const uint64_t done = board.num_acknowledged.load();
    ShowProgress(done, num_events, "events acknowledged");
    if (kill_at != 0 && done >= kill_at) {
      kill(child, SIGKILL);
      return Wait(child);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(kill_at != 0 ? 1 : 20));
  }
  ShowProgress(board.num_acknowledged.load(), num_events, "events acknowledged");
  return code;
}

void PrintLatencies(const char* what, const LatencyHistogram& histogram) {
  if (histogram.count() == 0) return;
  const auto us = [&](double quantile) { return static_cast<double>(histogram.Quantile(quantile)) / 1000.0; };
  std::printf("  %-26s %10llu %10.1f %10.1f %10.1f %10.1f\n", what,
              static_cast<unsigned long long>(histogram.count()), us(0.5), us(0.99), us(0.999), us(1.0));
}

void PrintReport(const SharedBoard& board, uint64_t num_events, double seconds) {
  std::printf("\n  %-26s %10s %10s %10s %10s %10s\n", "latency in microseconds", "calls", "median", "99%",
              "99.9%", "most");
  PrintLatencies("put, durable", board.puts);
  PrintLatencies("lookup in the memtable", board.lookups[kMemTable]);
  PrintLatencies("lookup in a generation", board.lookups[kGeneration]);
  PrintLatencies("lookup in the base table", board.lookups[kBase]);
  std::printf(
      "\n  %llu events in %.1f s of streaming: %.0f rows/s, each durable before it was acknowledged\n",
      static_cast<unsigned long long>(num_events), seconds, static_cast<double>(num_events) / seconds);
  std::printf("  %llu generations flushed, %.1f MB of write-ahead log\n",
              static_cast<unsigned long long>(board.num_generations.load()),
              static_cast<double>(board.wal_bytes.load()) / 1e6);
  std::printf("  lookups while writing: %llu stale, %llu invented, %llu missing\n",
              static_cast<unsigned long long>(board.stale.load()),
              static_cast<unsigned long long>(board.invented.load()),
              static_cast<unsigned long long>(board.missing.load()));
}

}  // namespace

int RunBoard(const std::string& data_directory, const std::string& table) {
  SharedMemory memory;
  SharedBoard& board = memory.board();
  const std::string descriptor = std::to_string(memory.descriptor());
  const uint64_t num_events = CountEvents(data_directory);

  std::printf("1. Base table: the flights of January to November\n");
  if (const int code = Wait(Start({"load", data_directory, table})); code != 0) return code;

  std::printf("2. December streams in while a second thread looks flights up\n");
  const uint64_t kill_at = num_events * 45 / 100;
  const auto start = Clock::now();
  const int killed = Watch(Start({"stream", data_directory, table, descriptor}), board, num_events, kill_at);
  auto streaming = Clock::now() - start;
  if (killed != 128 + SIGKILL) {
    std::fprintf(stderr, "the writer ended by itself with code %d instead of being killed\n", killed);
    return 1;
  }
  std::printf("3. kill -9 at %llu acknowledged events; a new writer opens the shard and goes on\n",
              static_cast<unsigned long long>(board.num_acknowledged.load()));
  const auto restart = Clock::now();
  const int code = Watch(Start({"stream", data_directory, table, descriptor}), board, num_events, 0);
  streaming += Clock::now() - restart;
  if (code != 0) return code;

  std::printf("4. Report\n");
  PrintReport(board, num_events, std::chrono::duration<double>(streaming).count());
  if (const int verdict = Wait(Start({"verify", data_directory, table})); verdict != 0) return verdict;
  return board.stale + board.invented + board.missing == 0 ? 0 : 1;
}

}  // namespace departure_board
