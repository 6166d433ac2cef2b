/* The loop of rmsnorm_loop.h, compiled for AVX-512. */
#if defined(__x86_64__)
#include "selection/table.h"

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,f16c"))), apply_to = function)

#include "rmsnorm/rmsnorm_loop.h"

void ck_rmsnorm_avx512(const float* x, const float* w, int64_t begin, int64_t end, int32_t width,
                       float eps, float* y, float* rstd) {
    rmsnorm_loop(x, w, begin, end, width, eps, y, rstd);
}

#pragma clang attribute pop
#endif
