/* The loop of rmsnorm_backward_loop.h, compiled for AVX2. */
#if defined(__x86_64__)
#include "selection/table.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#include "rmsnorm_backward/rmsnorm_backward_loop.h"

void ck_rmsnorm_backward_x_avx2(const float* x, const float* w, const float* rstd, const float* dy,
                                int64_t begin, int64_t end, int32_t width, float* dx) {
    rmsnorm_backward_x_loop(x, w, rstd, dy, begin, end, width, dx);
}

#pragma clang attribute pop
#endif
