// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/full_zip_values.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace pilum {

namespace {

TEST(ControlWordTest, HoldsLevelsOfAnyTwoWidths) {
  std::mt19937 random(4);
  for (uint32_t bits_rep = 0; bits_rep <= 16; ++bits_rep) {
    for (uint32_t bits_def = 0; bits_def <= 16; ++bits_def) {
      const auto word = ControlWord::Make(bits_rep, bits_def).ValueOrDie();
      const uint32_t bits = bits_rep + bits_def;
      EXPECT_EQ(word.bytes(), bits == 0 ? 0u : bits <= 8 ? 1u : bits <= 16 ? 2u : 4u);
      for (int i = 0; i < 20; ++i) {
        const uint32_t repetition = random() & ((1u << bits_rep) - 1),
                       definition = random() & ((1u << bits_def) - 1);
        std::string stored;
        AppendLE(&stored, repetition << bits_def | definition);
        stored.resize(word.bytes());  // no byte behind the word may count
        const std::string exact(stored);
        const auto* at = reinterpret_cast<const uint8_t*>(exact.data());
        ASSERT_EQ(word.Repetition(at), repetition) << bits_rep << " and " << bits_def;
        ASSERT_EQ(word.Definition(at), definition) << bits_rep << " and " << bits_def;
      }
    }
  }
  EXPECT_TRUE(ControlWord::Make(17, 0).status().IsInvalid());
  EXPECT_TRUE(ControlWord::Make(0, 17).status().IsInvalid());
}

}  // namespace

}  // namespace pilum
