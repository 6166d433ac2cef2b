/* The loop of the vector variants. scores[i] = Σ_j query[j] * vectors[i, j]; vectors [count,
 * width].
 * Limit: memory bandwidth, one pass over the vectors. The compiler may split the sum over lanes. */
#ifndef CK_DOT_ROWS_LOOP_H
#define CK_DOT_ROWS_LOOP_H

#include <stdint.h>

static inline float dot(const float* a, const float* b, int32_t width) {
#pragma clang fp reassociate(on) contract(fast)
    float sum = 0;
#pragma clang loop interleave_count(4)
    for (int32_t j = 0; j < width; j++) sum += a[j] * b[j];
    return sum;
}

static inline void dot_rows_loop(const float* vectors, const float* query, int64_t begin,
                                 int64_t end, int32_t width, float* scores) {
    for (int64_t i = begin; i < end; i++) scores[i] = dot(vectors + i * width, query, width);
}

/* scores[i] = (scales[i] * query_scale) * Σ_j query[j] * vectors[i, j] in 8 bits. Integers: the sum
 * is the same in any order. Limit: memory bandwidth; widened to 16 bits, 32 products a multiply-add
 * of AVX-512 keep ahead of it. */
static inline void dot_rows_int8_loop(const int8_t* vectors, const float* scales,
                                      const int8_t* query, float query_scale, int64_t begin,
                                      int64_t end, int32_t width, float* scores) {
    for (int64_t i = begin; i < end; i++) {
        const int8_t* row = vectors + i * width;
        int32_t sum = 0;
#pragma clang loop interleave_count(4)
        for (int32_t j = 0; j < width; j++) sum += (int32_t)((int16_t)query[j] * (int16_t)row[j]);
        scores[i] = scales[i] * query_scale * (float)sum;
    }
}

#endif
