/* y, x [count]: y += x.  y [tokens, width], b [width]: y[t, i] += b[i]. */
#include "selection/table.h"

void ck_add_scalar(float* y, const float* x, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) y[i] += x[i];
}

void ck_add_bias_scalar(float* y, const float* b, int64_t begin, int64_t end, int32_t width) {
    for (int64_t t = begin; t < end; t++) {
        for (int32_t i = 0; i < width; i++) y[t * width + i] += b[i];
    }
}
