/* The loop of the vector variants. x, dy, dx [tokens, width]; w [width]; rstd [tokens].
 * dx[t, i] += rstd * w[i] * dy[t, i] - rstd³/width * x[t, i] * Σ_j w[j] * dy[t, j] * x[t, j]
 * Limit: two passes over rows that sit in L1. The compiler may split the sum over lanes. */
#ifndef CK_RMSNORM_BACKWARD_LOOP_H
#define CK_RMSNORM_BACKWARD_LOOP_H

#include <stdint.h>

static inline float sum_of_products(const float* a, const float* b, const float* c, int32_t width) {
#pragma clang fp reassociate(on) contract(fast)
    float sum = 0;
#pragma clang loop interleave_count(4)
    for (int32_t i = 0; i < width; i++) sum += a[i] * b[i] * c[i];
    return sum;
}

static inline void rmsnorm_backward_x_loop(const float* x, const float* w, const float* rstd,
                                           const float* dy, int64_t begin, int64_t end,
                                           int32_t width, float* dx) {
    for (int64_t t = begin; t < end; t++) {
        const float *row = x + t * width, *gradient = dy + t * width;
        float* out = dx + t * width;
        const float r = rstd[t];
        const float along = r * r * r * (sum_of_products(w, gradient, row, width) / (float)width);
        for (int32_t i = 0; i < width; i++) {
            const float across = __builtin_fmaf(r, w[i] * gradient[i], out[i]);
            out[i] = __builtin_fmaf(-along, row[i], across);
        }
    }
}

#endif
