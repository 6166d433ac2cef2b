/* The loop of adam_loop.h, compiled for AVX-512. */
#if defined(__x86_64__)
#include "selection/table.h"

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,f16c"))), apply_to = function)

#include "adam/adam_loop.h"

void ck_adam_avx512(const ck_adam_terms_t* terms, const float* gradient, int64_t begin, int64_t end,
                    float* parameter, float* m, float* v) {
    adam_loop(terms, gradient, begin, end, parameter, m, v);
}

#pragma clang attribute pop
#endif
