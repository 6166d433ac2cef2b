/* Attention: the loops of this folder, compiled for AVX-512 with VNNI, whose vpdpwssd multiplies
 * and adds the pairs of integer caches in one instruction. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "selection/table.h"

#define CK_PAIRS_VNNI

#pragma clang attribute push(                                                          \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,fma,f16c"))), \
    apply_to = function)
#define CK_LANES 16

#include "attention/attention_loops.h"

void ck_attention_avx512vnni(const ck_attention_tile_t* tile) { attention_loop(tile); }

#pragma clang attribute pop
#endif
