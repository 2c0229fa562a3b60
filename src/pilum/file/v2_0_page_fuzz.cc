// SPDX-License-Identifier: Apache-2.0
//
// Any bytes and any encoding message as a page of version 2.0: fixed, strings, dictionaries, lists.
#include <functional>

#include "pilum/file/page_fuzz.h"
#include "pilum/fuzz_message.h"

namespace pilum {

namespace {

bool IsOurs(const fuzz::FieldPages::Page& page) { return page.has_array(); }

void FuzzPage(const fuzz::FieldPages& input) { fuzz::FuzzPages(input, IsOurs); }

/// A page that only early writers made, of 70 rows.
std::string EarlySeed(uint32_t field, const std::function<void(lance::encodings::ArrayEncoding*)>& encode) {
  fuzz::FieldPages input;
  input.set_field(field);
  input.set_num_rows(70);
  input.set_take(0x0123456789ABCDEF);
  auto* page = input.add_columns()->add_pages();
  page->set_num_rows(70);
  page->add_buffers(std::string(9, '\x5A'));     // validity
  page->add_buffers(std::string(1024, '\x5A'));  // values: also a whole unit of 8 bits
  auto* some = page->mutable_array()->mutable_nullable()->mutable_some_nulls();
  some->mutable_validity()->mutable_flat()->set_bits_per_value(1);
  encode(some->mutable_values());
  Require(fuzz::FuzzDataFile(fuzz::FileOf(input), input.take()), "an early page is read");
  return input.SerializeAsString();
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  auto seeds = fuzz::PageSeeds(IsOurs);
  for (uint32_t field = 0; field < fuzz::Fields().size(); ++field) {
    const auto& type = *fuzz::Fields()[field]->type();
    if (arrow::is_integer(type.id())) {
      const auto pack = [&](auto* packed) {
        packed->set_compressed_bits_per_value(5);
        packed->set_uncompressed_bits_per_value(static_cast<uint64_t>(type.bit_width()));
        packed->mutable_buffer()->set_buffer_index(1);
      };
      seeds.push_back(EarlySeed(field, [&](auto* values) { pack(values->mutable_bitpacked()); }));
      seeds.push_back(EarlySeed(field, [&](auto* values) { pack(values->mutable_bitpacked_for_non_neg()); }));
    } else if (arrow::is_base_binary_like(type.id())) {
      seeds.push_back(EarlySeed(field, [](auto* values) {
        auto* strings = values->mutable_fixed_size_binary();
        strings->set_byte_width(7);
        strings->mutable_bytes()->mutable_flat()->set_bits_per_value(8);
        strings->mutable_bytes()->mutable_flat()->mutable_buffer()->set_buffer_index(1);
      }));
    }
  }
  return seeds;
}

}  // namespace pilum

PILUM_FUZZ_MESSAGE(pilum::fuzz::FieldPages, pilum::FuzzPage)
