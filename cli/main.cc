// SPDX-License-Identifier: Apache-2.0
//
// pilum: look at Lance tables from a shell. Exit codes: 0 done, 1 the command failed (one line on standard
// error says why), 2 or more: the command line could not be understood.
#include <arrow/compute/initialize.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>

#include "cli/mem_wal_commands.h"
#include "cli/table_commands.h"
#include "pilum/util/error.h"

namespace {

using pilum::cli::TableArguments;

/// The command line being parsed. Verbs set `run`.
struct CommandLine {
  TableArguments table;
  std::string filter;
  std::vector<std::string> columns;
  std::vector<int64_t> offsets;
  int64_t num_rows = 10;
  bool generations_only = false;
  std::function<arrow::Status()> run;
};

CLI::App* AddVerb(CLI::App& app, CommandLine& line, const char* name, const char* what,
                  std::function<arrow::Status()> run) {
  CLI::App* verb = app.add_subcommand(name, what);
  verb->add_option("table", line.table.uri, "Directory or URI of the table")->required();
  verb->add_option("--version", line.table.version, "A version of the table; the latest if not given");
  verb->callback([&line, run = std::move(run)] { line.run = run; });
  return verb;
}

void AddFilter(CLI::App* verb, CommandLine& line) {
  verb->add_option("--filter", line.filter, "SQL condition, such as \"origin = 'JFK' AND distance > 500\"");
}

void AddColumns(CLI::App* verb, CommandLine& line) {
  verb->add_option("--columns", line.columns, "Columns to print, separated by commas; all if not given")
      ->delimiter(',');
}

void AddVerbs(CLI::App& app, CommandLine& line) {
  using namespace pilum::cli;  // NOLINT(google-build-using-namespace): the verbs
  AddVerb(app, line, "info", "Size, version and layout of a table",
          [&line] { return Info(line.table, std::cout); });
  AddVerb(app, line, "schema", "Columns of a table", [&line] { return PrintSchema(line.table, std::cout); });
  auto* count = AddVerb(app, line, "count", "Number of rows",
                        [&line] { return Count(line.table, line.filter, std::cout); });
  AddFilter(count, line);
  auto* head = AddVerb(app, line, "head", "The first rows", [&line] {
    return Head(line.table, line.num_rows, line.filter, line.columns, std::cout);
  });
  head->add_option("-n,--rows", line.num_rows, "How many rows")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  AddFilter(head, line);
  AddColumns(head, line);
  auto* take = AddVerb(app, line, "take", "Rows by position",
                       [&line] { return Take(line.table, line.offsets, line.columns, std::cout); });
  take->add_option("rows", line.offsets, "0-based positions, in the order to print them")->required();
  AddColumns(take, line);
}

void AddMemWalVerbs(CLI::App& app, CommandLine& line) {
  CLI::App* mem_wal = app.add_subcommand("mem-wal", "Real-time upserts of a table");
  mem_wal->require_subcommand(1);
  auto* status = AddVerb(*mem_wal, line, "status", "Configuration, shards and generations", [&line] {
    return pilum::cli::MemWalStatus(line.table, line.generations_only, std::cout);
  });
  status->add_flag("--generations", line.generations_only,
                   "Only the flushed generations, one line '<shard> <generation>=<folder>...' per shard");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Look at Lance tables.", "pilum");
  app.require_subcommand(1);
  CommandLine line;
  AddVerbs(app, line);
  AddMemWalVerbs(app, line);
  CLI11_PARSE(app, argc, argv);
  arrow::Status status = arrow::compute::Initialize();
  if (status.ok()) status = line.run();
  if (status.ok()) return 0;
  std::cerr << "pilum: " << pilum::DescribeError(status) << '\n';
  return 1;
}
