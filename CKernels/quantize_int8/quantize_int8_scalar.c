/* xq[t, k] = round(x[t, k] / xs[t, g]), xs = absmax of the group / 127; sum = xs * Σ xq.
 * The specification of all variants: one group after the other. */
#include <math.h>

#include "activations/tiles.h"
#include "selection/table.h"

void ck_quantize_int8_scalar(const float* x, int32_t begin, int32_t end, int32_t tokens,
                             int32_t cols, int32_t group_size, int8_t* q, float* scale,
                             float* sum) {
    const int32_t groups = cols / group_size;
    for (int32_t t = begin; t < end; t++) {
        int32_t width;
        const int32_t tile = ck_tile_of(t, tokens, CK_TILE_WIDE_INT8, &width);
        int8_t* out = q + (size_t)tile * cols;
        for (int32_t g = 0; g < groups; g++) {
            const float* v = x + (size_t)t * cols + (size_t)g * group_size;
            float most = 0;
            for (int32_t k = 0; k < group_size; k++) most = fmaxf(most, fabsf(v[k]));
            const bool is_zero = !(most >= CK_SMALLEST_ABSMAX);
            const float step = is_zero ? 0 : most * (1.0f / 127);
            const float inverse = is_zero ? 0 : 127 / most;
            const size_t at = (size_t)tile * groups + (size_t)g * width + (t - tile);
            int32_t total = 0;
            for (int32_t k = 0; k < group_size; k++) {
                const int32_t column = g * group_size + k;
                const int8_t value = (int8_t)lrintf(v[k] * inverse);
                out[((size_t)(column / 4) * width + (t - tile)) * 4 + column % 4] = value;
                total += value;
            }
            scale[at] = step;
            sum[at] = step * (float)total;
        }
    }
}
