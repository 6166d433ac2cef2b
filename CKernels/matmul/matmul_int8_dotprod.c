/* y[t, o] = Σ_g xs[t, g] * (scale[o, g] * Σ_{k in g} q[o, k] * xq[t, k]
 *                            + bias[o, g] * Σ_{k in g} xq[t, k])
 * xq tiled [tile][cols/4][width][4] int8; w packed 16 rows a block; y [tokens, stride].
 * Limits: one token: memory bandwidth. Many: sdot throughput. One 16-byte load is 4 rows × 4
 * columns of weights, another 4 tokens × 4 columns of activations: sdot by element needs no
 * shuffle. */
#if defined(__aarch64__)
#include <arm_neon.h>

#include "selection/table.h"

#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)

typedef int32x4_t dots_t;

static inline dots_t dots_zero(void) { return vdupq_n_s32(0); }

static inline int32x4_t dots_rows(dots_t dots) { return dots; }

#define dots_add(dots, w, x, lane) vdotq_laneq_s32(dots, w, x, lane)

#include "matmul/tile_int8_neon.h"

void ck_matmul_int8_dotprod(const ck_matmul_args_t* a, int64_t begin, int64_t end, void* scratch) {
    (void)scratch;
    if (a->w->bits == 4) {
        matmul_int8(a, begin, end, 4);
    } else {
        matmul_int8(a, begin, end, 8);
    }
}

#pragma clang attribute pop
#endif
