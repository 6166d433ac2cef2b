/* The loop of the vector variants. x [count]; Σ x[i]² in double. Limit: one read of x. The compiler
 * may split the sum over lanes. */
#ifndef CK_SUM_SQUARES_LOOP_H
#define CK_SUM_SQUARES_LOOP_H

#include <stdint.h>

static inline double sum_squares_loop(const float* x, int64_t count) {
#pragma clang fp reassociate(on) contract(fast)
    double sum = 0;
#pragma clang loop interleave_count(4)
    for (int64_t i = 0; i < count; i++) sum += (double)x[i] * x[i];
    return sum;
}

#endif
