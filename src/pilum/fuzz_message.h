// SPDX-License-Identifier: Apache-2.0
//
// Fuzz targets whose input is a message: mutations change one field of it, or the structure, and so reach
// behind the checks that stop flipped bytes of lengths and tags.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pilum/fuzz_target.h"

namespace pilum {

/// Changes some field of the message in data[0..size), at any depth, whatever its type; what does not parse
/// is changed as bytes. @return the new size, at most `max_size`. Only with libFuzzer.
size_t MutateMessage(uint8_t* data, size_t size, size_t max_size, unsigned seed);

/// Parses the input and runs `fuzz`. What does not parse is not kept.
template <typename Message, typename F>
int FuzzMessage(const uint8_t* data, size_t size, F&& fuzz) {
  Message message;
  if (!message.ParseFromArray(data, static_cast<int>(size))) return -1;
  fuzz(message);
  return 0;
}

}  // namespace pilum

/// The entry points of a target: `fuzz` is a function of a `Message`.
#ifdef PILUM_BUILD_FUZZERS
#define PILUM_FUZZ_MESSAGE(Message, fuzz)                                                                 \
  extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) { \
    return pilum::MutateMessage(data, size, max_size, seed);                                              \
  }                                                                                                       \
  extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {                               \
    return pilum::FuzzMessage<Message>(data, size, fuzz);                                                 \
  }
#else
#define PILUM_FUZZ_MESSAGE(Message, fuzz)                                   \
  extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) { \
    return pilum::FuzzMessage<Message>(data, size, fuzz);                   \
  }
#endif
