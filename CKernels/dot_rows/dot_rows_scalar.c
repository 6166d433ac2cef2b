/* vectors [count, width]; query [width]; scores [count].  scores[i] = Σ_j query[j] vectors[i, j]
 * summed in double. */
#include <string.h>

#include "selection/table.h"

void ck_dot_rows_scalar(const float* vectors, const float* query, int64_t begin, int64_t end,
                        int32_t width, float* scores) {
    for (int64_t i = begin; i < end; i++) {
        double sum = 0;
        for (int32_t j = 0; j < width; j++) sum += (double)query[j] * vectors[i * width + j];
        scores[i] = (float)sum;
    }
}

/* vectors [count, width], query [width] int8; scales, scores [count].
 * scores[i] = (scales[i] * query_scale) * Σ_j query[j] vectors[i, j]; the sum is exact. */
void ck_dot_rows_int8_scalar(const int8_t* vectors, const float* scales, const int8_t* query,
                             float query_scale, int64_t begin, int64_t end, int32_t width,
                             float* scores) {
    for (int64_t i = begin; i < end; i++) {
        int32_t sum = 0;
        for (int32_t j = 0; j < width; j++) sum += (int32_t)query[j] * vectors[i * width + j];
        scores[i] = scales[i] * query_scale * (float)sum;
    }
}

/* rows [⌈count/8⌉, words, 8] and query [4, words] of 64 bits; scales, scores [count].
 * scores[i] = (scales[i] * query_scale) * (2 Σ_j query[j] rows[i, j] - query_sum); the sum is
 * exact. */
void ck_dot_rows_bits_scalar(const uint8_t* rows, const float* scales, const uint8_t* query,
                             float query_scale, int32_t query_sum, int64_t begin, int64_t end,
                             int64_t count, int32_t words, float* scores) {
    static const int32_t weights[4] = {1, 2, 4, -8};
    for (int64_t i = begin * 8; i < end * 8 && i < count; i++) {
        int32_t sum = 0;
        for (int32_t w = 0; w < words; w++) {
            for (int32_t b = 0; b < 4; b++) {
                uint64_t x, q;
                memcpy(&x, rows + ((i / 8 * words + w) * 8 + i % 8) * 8, sizeof x);
                memcpy(&q, query + (b * words + w) * 8, sizeof q);
                sum += weights[b] * __builtin_popcountll(x & q);
            }
        }
        scores[i] = scales[i] * query_scale * (float)(2 * sum - query_sum);
    }
}
