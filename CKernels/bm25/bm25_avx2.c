/* The loop of bm25_loop.h, compiled for AVX2. */
#if defined(__x86_64__)
#include "selection/table.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#include "bm25/bm25_loop.h"

void ck_bm25_avx2(const ck_bm25_job_t* job, int64_t begin, int64_t end, float best[3]) {
    bm25_loop(job, begin, end, best);
}

#pragma clang attribute pop
#endif
