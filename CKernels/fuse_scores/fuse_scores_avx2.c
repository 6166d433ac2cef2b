/* The loop of fuse_scores_loop.h, compiled for AVX2. */
#if defined(__x86_64__)
#include "selection/table.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#include "fuse_scores/fuse_scores_loop.h"

float ck_fuse_scores_avx2(const ck_fuse_scores_job_t* job, int64_t begin, int64_t end) {
    return fuse_scores_loop(job, begin, end);
}

#pragma clang attribute pop
#endif
