/* The loop of the vector variants: the index of the largest of x[begin ..< end], the first of
 * equals; NaN never wins. Limit: memory bandwidth, one pass, and a second one up to the winner.
 * The largest value is found first, in four vectors: comparing alone is faster than carrying
 * indices. */
#ifndef CK_ARGMAX_LOOP_H
#define CK_ARGMAX_LOOP_H

#include "math/vector.h"
#include "selection/table.h"

static inline int64_t argmax_loop(const float* x, int64_t begin, int64_t end) {
    const vec_t lowest = vec_of(-__builtin_inff());
    vec_t high[4] = {lowest, lowest, lowest, lowest};
    int64_t i = begin;
    for (; i + 4 * CK_LANES <= end; i += 4 * CK_LANES) {
        /* NaN is not above anything, so what was there stays */
        for (int j = 0; j < 4; j++) high[j] = vec_max(vec_load(x + i + CK_LANES * j), high[j]);
    }
    float most = vec_highest(vec_max(vec_max(high[0], high[1]), vec_max(high[2], high[3])));
    for (; i < end; i++) most = x[i] > most ? x[i] : most;
    if (most == -__builtin_inff()) return ck_argmax_scalar(x, begin, end);
    for (i = begin; i + 4 * CK_LANES <= end; i += 4 * CK_LANES) {
        ivec_t found = vec_load(x + i) == vec_of(most);
        for (int j = 1; j < 4; j++) found |= vec_load(x + i + CK_LANES * j) == vec_of(most);
        if (__builtin_reduce_or(found)) break;
    }
    while (x[i] != most) i++;
    return i;
}

#endif
