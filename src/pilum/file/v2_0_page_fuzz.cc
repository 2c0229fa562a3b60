// SPDX-License-Identifier: Apache-2.0
//
// Any bytes and any encoding message as a page of version 2.0: fixed, strings, dictionaries, lists.
#include "pilum/file/page_fuzz.h"
#include "pilum/fuzz_message.h"

namespace pilum {

namespace {

bool IsOurs(const fuzz::FieldPages::Page& page) { return page.has_array(); }

void FuzzPage(const fuzz::FieldPages& input) { fuzz::FuzzPages(input, IsOurs); }

}  // namespace

std::vector<std::string> FuzzSeeds() { return fuzz::PageSeeds(IsOurs); }

}  // namespace pilum

PILUM_FUZZ_MESSAGE(pilum::fuzz::FieldPages, pilum::FuzzPage)
