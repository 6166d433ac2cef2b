/* y[t, o] = Σ_g xs[t, g] * (scale[o, g] * Σ_{k in g} q[o, k] * xq[t, k]
 *                            + bias[o, g] * Σ_{k in g} xq[t, k])
 * xq tiled [tile][cols/4][width][4] int8; w packed 16 rows a block; y [tokens, stride].
 * Limit: throughput of smull and sadalp, two of each for 16 products: for processors without dot
 * product instructions. */
#if defined(__aarch64__)
#include <arm_neon.h>

#include "selection/table.h"

/* Lanes of the halves: columns 0 + 1 and 2 + 3 of rows 0, 0, 1, 1 and 2, 2, 3, 3. */
typedef struct {
    int32x4_t low, high;
} dots_t;

static inline dots_t dots_zero(void) { return (dots_t){vdupq_n_s32(0), vdupq_n_s32(0)}; }

static inline int32x4_t dots_rows(dots_t dots) { return vpaddq_s32(dots.low, dots.high); }

static inline dots_t dots_multiply(dots_t dots, int8x16_t w, int8x8_t x) {
    dots.low = vpadalq_s16(dots.low, vmull_s8(vget_low_s8(w), x));
    dots.high = vpadalq_s16(dots.high, vmull_s8(vget_high_s8(w), x));
    return dots;
}

#define dots_add(dots, w, x, lane) \
    dots_multiply(dots, w, vreinterpret_s8_s32(vdup_laneq_s32(vreinterpretq_s32_s8(x), lane)))

#include "matmul/tile_int8_neon.h"

void ck_matmul_int8_neon(const ck_matmul_args_t* a, int64_t begin, int64_t end, void* scratch) {
    (void)scratch;
    if (a->w->bits == 4) {
        matmul_int8(a, begin, end, 4);
    } else {
        matmul_int8(a, begin, end, 8);
    }
}

#endif
