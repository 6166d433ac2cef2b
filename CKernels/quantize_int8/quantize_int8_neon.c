/* xq[t, k] = round(x[t, k] / xs[t, g]), xs = absmax of the group / 127; sum = xs * Σ xq.
 * x [tokens, cols]; xq tiled [tile][cols/4][width][4] int8; xs, sum [tile][groups][width].
 * Limit: loads and stores of four bytes. */
#if defined(__aarch64__)
#include <arm_neon.h>
#include <string.h>

#include "activations/tiles.h"
#include "selection/table.h"

void ck_quantize_int8_neon(const float* x, int32_t begin, int32_t end, int32_t tokens, int32_t cols,
                           int32_t group_size, int8_t* q, float* scale, float* sum) {
    const int32_t groups = cols / group_size;
    for (int32_t tile = begin; tile < end;) {
        const int32_t width = ck_next_tile(tokens - tile, CK_TILE_WIDE_INT8);
        for (int32_t t = 0; t < width; t++) {
            const float* v = x + (size_t)(tile + t) * cols;
            int8_t* out = q + (size_t)tile * cols + 4 * t;
            size_t at = (size_t)tile * groups + t;
            for (int32_t g = 0; g < groups; g++, at += width, v += group_size) {
                float32x4_t most = vdupq_n_f32(0);
                for (int32_t k = 0; k < group_size; k += 4) {
                    most = vmaxq_f32(most, vabsq_f32(vld1q_f32(v + k)));
                }
                const float largest = vmaxvq_f32(most);
                const bool is_zero = !(largest >= CK_SMALLEST_ABSMAX);
                const float step = is_zero ? 0 : largest * (1.0f / 127);
                const float inverse = is_zero ? 0 : 127 / largest;
                int32x4_t total = vdupq_n_s32(0);
                for (int32_t k = 0; k < group_size; k += 4, out += 4 * (size_t)width) {
                    const int32x4_t four = vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(v + k), inverse));
                    const int16x4_t narrow = vqmovn_s32(four);
                    const int8x8_t bytes = vqmovn_s16(vcombine_s16(narrow, narrow));
                    const int32_t word = vget_lane_s32(vreinterpret_s32_s8(bytes), 0);
                    memcpy(out, &word, 4);
                    total = vaddq_s32(total, four);
                }
                scale[at] = step;
                sum[at] = step * (float)vaddvq_s32(total);
            }
        }
        tile += width;
    }
}
#endif
