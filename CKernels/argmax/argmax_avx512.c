/* The loop of argmax_loop.h, compiled for AVX-512. */
#if defined(__x86_64__)
#include "selection/table.h"

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,f16c"))), apply_to = function)
#define CK_LANES 16

#include "argmax/argmax_loop.h"

int64_t ck_argmax_avx512(const float* x, int64_t begin, int64_t end) {
    return argmax_loop(x, begin, end);
}

#pragma clang attribute pop
#endif
