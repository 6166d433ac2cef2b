/* The loop of sum_squares_loop.h, compiled for AVX-512. */
#if defined(__x86_64__)
#include "selection/table.h"

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,f16c"))), apply_to = function)

#include "sum_squares/sum_squares_loop.h"

double ck_sum_squares_avx512(const float* x, int64_t count) { return sum_squares_loop(x, count); }

#pragma clang attribute pop
#endif
