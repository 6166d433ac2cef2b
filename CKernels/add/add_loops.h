/* The loops of the vector variants. y, x [count]: y += x.  y [tokens, width], b [width]: y[t, i] +=
 * b[i].
 * Limit: memory bandwidth. */
#ifndef CK_ADD_LOOPS_H
#define CK_ADD_LOOPS_H

#include <stdint.h>

static inline void add_loop(float* y, const float* x, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) y[i] += x[i];
}

static inline void add_bias_loop(float* y, const float* b, int64_t begin, int64_t end,
                                 int32_t width) {
    for (int64_t t = begin; t < end; t++) {
        for (int32_t i = 0; i < width; i++) y[t * width + i] += b[i];
    }
}

#endif
