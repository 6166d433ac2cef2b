/* x, dy, dx [tokens, width]; w [width]; rstd [tokens].
 * dx[t, i] += rstd * w[i] * dy[t, i] - rstd³/width * x[t, i] * Σ_j w[j] * dy[t, j] * x[t, j]
 * The sum is taken in double. */
#include "selection/table.h"

void ck_rmsnorm_backward_x_scalar(const float* x, const float* w, const float* rstd,
                                  const float* dy, int64_t begin, int64_t end, int32_t width,
                                  float* dx) {
    for (int64_t t = begin; t < end; t++) {
        const float *row = x + t * width, *gradient = dy + t * width;
        const float r = rstd[t];
        double sum = 0;
        for (int32_t i = 0; i < width; i++) sum += (double)w[i] * gradient[i] * row[i];
        const float along = (float)((double)r * r * r * sum / width);
        for (int32_t i = 0; i < width; i++) {
            dx[t * width + i] += r * w[i] * gradient[i] - along * row[i];
        }
    }
}
