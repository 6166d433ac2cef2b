/* The loop of the vector variants. x, y [tokens, width]; w, b [width].
 * y[t, i] = (x[t, i] - mean) / sqrt(variance + eps) * w[i] + b[i], variance = mean((x - mean)²)
 * Limit: three reads and one write of a row that sits in L1. The mean is taken off before squaring,
 * so that a large mean costs no digits. The compiler may split the sums over lanes. */
#ifndef CK_LAYERNORM_LOOP_H
#define CK_LAYERNORM_LOOP_H

#include <math.h>
#include <stdint.h>

static inline float sum_of(const float* x, int32_t width) {
#pragma clang fp reassociate(on)
    float sum = 0;
#pragma clang loop interleave_count(4)
    for (int32_t i = 0; i < width; i++) sum += x[i];
    return sum;
}

static inline float sum_of_squares(const float* x, float mean, int32_t width) {
    float sum = 0;
#pragma clang loop interleave_count(4)
    for (int32_t i = 0; i < width; i++) {
        const float off = x[i] - mean;
        {
#pragma clang fp reassociate(on) contract(fast)
            sum += off * off;
        }
    }
    return sum;
}

static inline void layernorm_loop(const float* x, const float* w, const float* b, int64_t begin,
                                  int64_t end, int32_t width, float eps, float* y) {
    for (int64_t t = begin; t < end; t++) {
        const float* row = x + t * width;
        float* out = y + t * width;
        const float mean = sum_of(row, width) / (float)width;
        const float r = 1 / sqrtf(sum_of_squares(row, mean, width) / (float)width + eps);
        /* y may be x: the check for overlap would send it down a scalar loop */
#pragma clang loop vectorize(assume_safety)
        for (int32_t i = 0; i < width; i++) {
            out[i] = __builtin_fmaf((row[i] - mean) * r, w[i], b[i]);
        }
    }
}

#endif
