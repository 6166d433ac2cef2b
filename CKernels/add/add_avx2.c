/* The loops of add_loops.h, compiled for AVX2. */
#if defined(__x86_64__)
#include "selection/table.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#include "add/add_loops.h"

void ck_add_avx2(float* y, const float* x, int64_t begin, int64_t end) {
    add_loop(y, x, begin, end);
}

void ck_add_bias_avx2(float* y, const float* b, int64_t begin, int64_t end, int32_t width) {
    add_bias_loop(y, b, begin, end, width);
}

#pragma clang attribute pop
#endif
