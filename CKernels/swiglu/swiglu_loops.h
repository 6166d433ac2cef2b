/* The loops of the vector variants: a compiler turns them into full vectors, since ck_exp has no
 * branch.
 *   out = silu(gate) * up                     silu(g) = g * s, s = 1 / (1 + e^-g)
 *   dup = dout * silu(gate),  dgate = dout * up * s * (1 + g * (1 - s))
 * Limit: arithmetic, some 20 operations an element. Every element is read before it is written, so
 * outputs may alias inputs; compilers must be told, or they take such calls one element at a
 * time. */
#ifndef CK_SWIGLU_LOOPS_H
#define CK_SWIGLU_LOOPS_H

#include "math/exp.h"

static inline void swiglu_loop(const float* gate, const float* up, int64_t begin, int64_t end,
                               float* out) {
#pragma clang loop vectorize(assume_safety)
    for (int64_t i = begin; i < end; i++) out[i] = gate[i] * ck_sigmoid(gate[i]) * up[i];
}

static inline void swiglu_backward_loop(const float* gate, const float* up, const float* dout,
                                        int64_t begin, int64_t end, float* dgate, float* dup) {
#pragma clang loop vectorize(assume_safety)
    for (int64_t i = begin; i < end; i++) {
        const float g = gate[i], u = up[i], d = dout[i], s = ck_sigmoid(g);
        dup[i] = d * (g * s);
        dgate[i] = d * u * (s * (1 + g * (1 - s)));
    }
}

#endif
