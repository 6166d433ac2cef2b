/* vectors [count, width]; query [width]; scores [count].  scores[i] = Σ_j query[j] vectors[i, j]
 * summed in double. */
#include "dispatch/dispatch.h"

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
