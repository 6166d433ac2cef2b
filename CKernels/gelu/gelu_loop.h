/* The loop of the vector variants: gelu(x) = x * (1 + erf(x / sqrt 2)) / 2, which a compiler turns
 * into full vectors, since ck_erf has no branch. Limit: arithmetic, some 25 operations an element.
 * out may be x: compilers must be told, or they take such calls one element at a time. */
#ifndef CK_GELU_LOOP_H
#define CK_GELU_LOOP_H

#include "math/exp.h"

static inline void gelu_loop(const float* x, int64_t begin, int64_t end, float* out) {
#pragma clang loop vectorize(assume_safety)
    for (int64_t i = begin; i < end; i++) {
        const float v = x[i];
        out[i] = v * 0.5f * (1 + ck_erf(v * 0.707106781f));
    }
}

#endif
