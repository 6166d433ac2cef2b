/* The loop of the vector variants. gradient, parameter, m, v [count]; the formula is in adam.h.
 * Limit: memory, four reads and three writes per element. Fused products are spelled out, so that
 * an element's roundings are the same in a vector and in what is left at a range's end. */
#ifndef CK_ADAM_LOOP_H
#define CK_ADAM_LOOP_H

#include "adam/adam.h"

static inline void adam_loop(const ck_adam_terms_t* terms, const float* gradient, int64_t begin,
                             int64_t end, float* parameter, float* m, float* v) {
    const ck_adam_terms_t c = *terms;
    for (int64_t i = begin; i < end; i++) {
        const float g = c.gradient_scale * gradient[i];
        const float first = __builtin_fmaf(c.beta1, m[i], c.rest1 * g);
        const float second = __builtin_fmaf(c.beta2, v[i], c.rest2 * g * g);
        const float root = __builtin_elementwise_sqrt(c.unbias2 * second);
        const float step = c.rate * first / (root + c.epsilon);
        m[i] = first;
        v[i] = second;
        parameter[i] = __builtin_fmaf(c.keep, parameter[i], -step);
    }
}

#endif
