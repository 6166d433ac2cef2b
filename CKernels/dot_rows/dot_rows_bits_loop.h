/* Dot products with signs: Σ_j q_j s_j = 2 Σ_j q_j x_j - Σ_j q_j for bits x_j, and Σ_j q_j x_j is
 * the bits that a row and each plane of the query share, counted and weighed 1, 2, 4, -8. Integers:
 * the sum is the same in any order. Limit: memory bandwidth; 8 rows lie side by side, so that one
 * plane is compared with all of them and no sum crosses lanes. */
#ifndef CK_DOT_ROWS_BITS_LOOP_H
#define CK_DOT_ROWS_BITS_LOOP_H

#include <stdint.h>
#include <string.h>

static inline void dot_rows_bits_loop(const uint8_t* rows, const float* scales,
                                      const uint8_t* query, float query_scale, int32_t query_sum,
                                      int64_t begin, int64_t end, int64_t count, int32_t words,
                                      float* scores) {
    for (int64_t group = begin; group < end; group++) {
        int32_t sums[8] = {0};
        for (int32_t w = 0; w < words; w++) {
            uint64_t x[8], q[4];
            memcpy(x, rows + (group * words + w) * 64, sizeof x);
            for (int32_t b = 0; b < 4; b++) memcpy(q + b, query + (b * words + w) * 8, 8);
            for (int32_t lane = 0; lane < 8; lane++) {
                sums[lane] += (int32_t)(__builtin_popcountll(x[lane] & q[0]) +
                                        2 * __builtin_popcountll(x[lane] & q[1]) +
                                        4 * __builtin_popcountll(x[lane] & q[2]) -
                                        8 * __builtin_popcountll(x[lane] & q[3]));
            }
        }
        for (int64_t lane = 0; lane < 8 && group * 8 + lane < count; lane++) {
            const int64_t i = group * 8 + lane;
            scores[i] = scales[i] * query_scale * (float)(2 * sums[lane] - query_sum);
        }
    }
}

#endif
