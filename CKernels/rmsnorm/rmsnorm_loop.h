/* The loop of the vector variants. x, y [tokens, width]; w [width]; rstd [tokens] or NULL.
 * y[t, i] = x[t, i] * w[i] / sqrt(mean_i(x[t, :]²) + eps)
 * Limit: two reads and one write of a row that sits in L1. The compiler may split the sum over
 * lanes. */
#ifndef CK_RMSNORM_LOOP_H
#define CK_RMSNORM_LOOP_H

#include <math.h>
#include <stdint.h>

static inline float sum_of_squares(const float* x, int32_t width) {
#pragma clang fp reassociate(on) contract(fast)
    float sum = 0;
#pragma clang loop interleave_count(4)
    for (int32_t i = 0; i < width; i++) sum += x[i] * x[i];
    return sum;
}

static inline void rmsnorm_loop(const float* x, const float* w, int64_t begin, int64_t end,
                                int32_t width, float eps, float* y, float* rstd) {
    for (int64_t t = begin; t < end; t++) {
        const float* row = x + t * width;
        float* out = y + t * width;
        const float r = 1 / sqrtf(sum_of_squares(row, width) / (float)width + eps);
        /* y may be x: the check for overlap would send it down a scalar loop */
#pragma clang loop vectorize(assume_safety)
        for (int32_t i = 0; i < width; i++) out[i] = row[i] * r * w[i];
        if (rstd) rstd[t] = r;
    }
}

#endif
