// SPDX-License-Identifier: Apache-2.0
//
// Function multiversioning: PILUM_CLONES before a function compiles it for several instruction sets, of which
// the loader takes the best this machine has. The code is the same, so the results are.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define PILUM_CLONES __attribute__((target_clones("avx512f", "avx2", "default"), optimize("O3")))
#else
#define PILUM_CLONES
#endif
