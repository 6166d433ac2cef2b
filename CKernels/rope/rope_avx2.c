/* The loop of rope_loop.h, compiled for AVX2. */
#if defined(__x86_64__)
#include "selection/table.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#define CK_LANES 8

#include "rope/rope_loop.h"

void ck_rope_avx2(float* x, const int32_t* positions, const float* frequencies, int64_t begin,
                  int64_t end, int32_t heads, int32_t head_dim, bool inverse) {
    rope_loop(x, positions, frequencies, begin, end, heads, head_dim, inverse);
}

#pragma clang attribute pop
#endif
