/* x, y [tokens, width]; w [width]; rstd [tokens] or NULL.
 * y[t, i] = x[t, i] * w[i] / sqrt(mean_i(x[t, :]²) + eps)
 * The mean is summed in double: the specification of the other variants. */
#include <math.h>

#include "selection/table.h"

void ck_rmsnorm_scalar(const float* x, const float* w, int64_t begin, int64_t end, int32_t width,
                       float eps, float* y, float* rstd) {
    for (int64_t t = begin; t < end; t++) {
        const float* row = x + t * width;
        double squares = 0;
        for (int32_t i = 0; i < width; i++) squares += (double)row[i] * row[i];
        const float r = (float)(1 / sqrt(squares / width + eps));
        for (int32_t i = 0; i < width; i++) y[t * width + i] = row[i] * r * w[i];
        if (rstd) rstd[t] = r;
    }
}
