/* The loop of gelu_loop.h, compiled for AVX2. */
#if defined(__x86_64__)
#include "selection/table.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#include "gelu/gelu_loop.h"

void ck_gelu_avx2(const float* x, int64_t begin, int64_t end, float* out) {
    gelu_loop(x, begin, end, out);
}

#pragma clang attribute pop
#endif
