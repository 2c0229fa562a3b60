// SPDX-License-Identifier: Apache-2.0
#include "shared_board.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace departure_board {

namespace {

[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::exit(1);
}

}  // namespace

SharedMemory::SharedMemory() : descriptor_(memfd_create("departure_board", 0)) {
  if (descriptor_ < 0 || ftruncate(descriptor_, sizeof(SharedBoard)) != 0) Die("shared memory");
  Map();
}

SharedMemory::SharedMemory(int inherited_descriptor) : descriptor_(inherited_descriptor) { Map(); }

SharedMemory::~SharedMemory() {
  munmap(board_, sizeof(SharedBoard));
  close(descriptor_);
}

void SharedMemory::Map() {
  void* memory = mmap(nullptr, sizeof(SharedBoard), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0);
  if (memory == MAP_FAILED) Die("shared memory");
  board_ = static_cast<SharedBoard*>(memory);
}

}  // namespace departure_board
