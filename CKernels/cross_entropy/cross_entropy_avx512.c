/* The loop of cross_entropy_loop.h, compiled for AVX-512. */
#if defined(__x86_64__)
#include "selection/table.h"

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,f16c"))), apply_to = function)
#define CK_LANES 16

#include "cross_entropy/cross_entropy_loop.h"

void ck_cross_entropy_avx512(const float* logits, const int32_t* targets, int64_t begin,
                             int64_t end, int32_t vocabulary, float row_scale, float* losses,
                             float* gradient) {
    cross_entropy_loop(logits, targets, begin, end, vocabulary, row_scale, losses, gradient);
}

#pragma clang attribute pop
#endif
