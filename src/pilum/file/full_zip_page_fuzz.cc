// SPDX-License-Identifier: Apache-2.0
//
// Any bytes and any layout message as a full-zip page, nested or not.
#include "pilum/file/page_fuzz.h"
#include "pilum/fuzz_message.h"

namespace pilum {

namespace {

bool IsOurs(const fuzz::FieldPages::Page& page) { return page.layout().has_full_zip_layout(); }

void FuzzPage(const fuzz::FieldPages& input) { fuzz::FuzzPages(input, IsOurs); }

}  // namespace

std::vector<std::string> FuzzSeeds() { return fuzz::PageSeeds(IsOurs); }

}  // namespace pilum

PILUM_FUZZ_MESSAGE(pilum::fuzz::FieldPages, pilum::FuzzPage)
