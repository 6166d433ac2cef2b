/* The loop of dot_rows_loop.h, compiled for AVX-512. */
#if defined(__x86_64__)
#include "selection/table.h"

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,f16c"))), apply_to = function)

#include "dot_rows/dot_rows_loop.h"

void ck_dot_rows_avx512(const float* vectors, const float* query, int64_t begin, int64_t end,
                        int32_t width, float* scores) {
    dot_rows_loop(vectors, query, begin, end, width, scores);
}

void ck_dot_rows_int8_avx512(const int8_t* vectors, const float* scales, const int8_t* query,
                             float query_scale, int64_t begin, int64_t end, int32_t width,
                             float* scores) {
    dot_rows_int8_loop(vectors, scales, query, query_scale, begin, end, width, scores);
}

#pragma clang attribute pop
#endif
