/* x [count]. The first i with x[i] = max x. */
#include <math.h>

#include "selection/table.h"

int64_t ck_argmax_scalar(const float* x, int64_t begin, int64_t end) {
    int64_t best = begin;
    float maximum = -INFINITY;
    for (int64_t i = begin; i < end; i++) {
        /* NaN at `best` can only be the first element: anything that is a number replaces it. */
        if (x[i] > maximum || (isnan(x[best]) && !isnan(x[i]))) {
            maximum = x[i];
            best = i;
        }
    }
    return best;
}
