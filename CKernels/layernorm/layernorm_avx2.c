/* The loop of layernorm_loop.h, compiled for AVX2. */
#if defined(__x86_64__)
#include "selection/table.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#include "layernorm/layernorm_loop.h"

void ck_layernorm_avx2(const float* x, const float* w, const float* b, int64_t begin, int64_t end,
                       int32_t width, float eps, float* y) {
    layernorm_loop(x, w, b, begin, end, width, eps, y);
}

#pragma clang attribute pop
#endif
