/* The loop of dot_rows_loop.h, compiled for AVX2. */
#if defined(__x86_64__)
#include "selection/table.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,popcnt"))), apply_to = function)

#include "dot_rows/dot_rows_bits_loop.h"
#include "dot_rows/dot_rows_loop.h"

void ck_dot_rows_avx2(const float* vectors, const float* query, int64_t begin, int64_t end,
                      int32_t width, float* scores) {
    dot_rows_loop(vectors, query, begin, end, width, scores);
}

void ck_dot_rows_int8_avx2(const int8_t* vectors, const float* scales, const int8_t* query,
                           float query_scale, int64_t begin, int64_t end, int32_t width,
                           float* scores) {
    dot_rows_int8_loop(vectors, scales, query, query_scale, begin, end, width, scores);
}

void ck_dot_rows_bits_avx2(const uint8_t* rows, const float* scales, const uint8_t* query,
                           float query_scale, int32_t query_sum, int64_t begin, int64_t end,
                           int64_t count, int32_t words, float* scores) {
    dot_rows_bits_loop(rows, scales, query, query_scale, query_sum, begin, end, count, words,
                       scores);
}

#pragma clang attribute pop
#endif
