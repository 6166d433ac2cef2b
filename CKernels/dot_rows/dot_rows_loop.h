/* The loop of the vector variants. scores[i] = Σ_j query[j] * vectors[i, j]; vectors [count, width].
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

#endif
