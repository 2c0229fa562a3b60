// SPDX-License-Identifier: Apache-2.0
//
// A departure board that never loses a row: see README.md in this folder.
//
//   departure_board run <data directory> <table>      the whole story; starts itself for each act
//   departure_board verify <data directory> <table>   compares a table, whoever wrote it, with the truth
#include <arrow/compute/initialize.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "pilum/util/error.h"
#include "shared_board.h"
#include "stream.h"
#include "supervisor.h"

namespace {

int Usage() {
  std::fprintf(stderr, "usage: departure_board run|verify <data directory> <table>\n");
  return 2;
}

arrow::Status Act(const std::vector<std::string>& arguments) {
  ARROW_RETURN_NOT_OK(arrow::compute::Initialize());
  const std::string& verb = arguments[0];
  if (verb == "load") return departure_board::LoadBaseTable(arguments[1], arguments[2]);
  if (verb == "verify") return departure_board::VerifyBoard(arguments[1], arguments[2]);
  departure_board::SharedMemory memory(std::atoi(arguments[3].c_str()));
  return departure_board::StreamEvents(arguments[1], arguments[2], &memory.board());
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() < 3) return Usage();
  if (arguments[0] == "run") return departure_board::RunBoard(arguments[1], arguments[2]);
  const bool stream = arguments[0] == "stream" && arguments.size() == 4;
  if (!stream && arguments[0] != "load" && arguments[0] != "verify") return Usage();
  const auto status = Act(arguments);
  if (status.ok()) return 0;
  std::fprintf(stderr, "departure_board %s: %s\n", arguments[0].c_str(),
               pilum::DescribeError(status).c_str());
  return 1;
}
