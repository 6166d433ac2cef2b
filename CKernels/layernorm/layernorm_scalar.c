/* x, y [tokens, width]; w, b [width].
 * y[t, i] = (x[t, i] - mean) / sqrt(variance + eps) * w[i] + b[i], variance = mean((x - mean)²)
 * Both means are summed in double. */
#include <math.h>

#include "selection/table.h"

void ck_layernorm_scalar(const float* x, const float* w, const float* b, int64_t begin, int64_t end,
                         int32_t width, float eps, float* y) {
    for (int64_t t = begin; t < end; t++) {
        const float* row = x + t * width;
        double sum = 0, squares = 0;
        for (int32_t i = 0; i < width; i++) sum += row[i];
        const double mean = sum / width;
        for (int32_t i = 0; i < width; i++) squares += (row[i] - mean) * (row[i] - mean);
        const double r = 1 / sqrt(squares / width + eps);
        for (int32_t i = 0; i < width; i++) {
            y[t * width + i] = (float)((row[i] - mean) * r) * w[i] + b[i];
        }
    }
}
