/* x, out [count].  out = x * Φ(x) = x * erfc(-x/√2) / 2
 * erfc rather than 1 + erf keeps the digits where x is far below zero. */
#include <math.h>

#include "selection/table.h"

void ck_gelu_scalar(const float* x, int64_t begin, int64_t end, float* out) {
    for (int64_t i = begin; i < end; i++) {
        out[i] = (float)(0.5 * x[i] * erfc(-0.70710678118654752440 * x[i]));
    }
}
