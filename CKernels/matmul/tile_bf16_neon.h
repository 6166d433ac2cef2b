/* Included by the bf16 NEON variants after tile_neon.h, inside their target region: the
 * micro-kernel that both directions share. bfmmla multiplies 2 rows × 4 columns by 4 columns × 2
 * tokens, so a panel of 16 rows lies as
 *   [half][columns/4][4][2][4] bf16   two rows of four successive columns a register, 8 rows a half
 * and activations [columns/2][width][2] need one zip of words. */
#ifndef CK_MATMUL_TILE_BF16_NEON_H
#define CK_MATMUL_TILE_BF16_NEON_H

#include "matmul/tile_neon.h"

typedef struct {
    bfloat16_t* data;
    int64_t half; /* numbers between the halves */
} bf16_panel_t;

/* A panel for `count` columns: the second half begins after whole steps of four. */
static inline bf16_panel_t bf16_panel(void* scratch, int32_t count) {
    return (bf16_panel_t){scratch, ((int64_t)count + 3) / 4 * 32};
}

/* Registers of one step: rows 4q ..< 4q + 4 of half h are c[2 * h + q][0] and [1]. */
static inline void bf16_store(bf16_panel_t panel, int32_t step, const uint16x8_t c[4][2]) {
    for (int i = 0; i < 8; i++) {
        bfloat16_t* out = panel.data + i / 4 * panel.half + 32 * (int64_t)step + 8 * (i % 4);
        vst1q_u16((uint16_t*)out, c[i / 2][i % 2]);
    }
}

static inline uint16x8_t to_bf16(float32x4_t low, float32x4_t high) {
    return vreinterpretq_u16_bf16(vcvtq_high_bf16_f32(vcvtq_low_bf16_f32(low), high));
}

static inline bfloat16x8_t zip_tokens(uint32x4_t a, uint32x4_t b, bool is_high) {
    return vreinterpretq_bf16_u32(is_high ? vzip2q_u32(a, b) : vzip1q_u32(a, b));
}

/* One step: sums[p][r] += rows 2r, 2r + 1 of a half times tokens 2p, 2p + 1. x: the step's two
 * pairs of columns [2][width][2], or one where it is the last of an odd number. n is a constant at
 * every call. */
static inline __attribute__((always_inline)) void bf16_step(int n, int32_t width, bool is_odd,
                                                            const bfloat16_t* rows,
                                                            const uint32_t* x,
                                                            float32x4_t (*sums)[4]) {
    bfloat16x8_t w[4];
    for (int r = 0; r < 4; r++) w[r] = vld1q_bf16(rows + 8 * r);
    if (n == 1) {
        const uint32x4_t token = {x[0], is_odd ? 0 : x[1], 0, 0};
        for (int r = 0; r < 4; r++) {
            sums[0][r] = vbfmmlaq_f32(sums[0][r], w[r], vreinterpretq_bf16_u32(token));
        }
        return;
    }
#pragma clang loop unroll(full)
    for (int p = 0; p < n / 2; p += 2) {
        const uint32x4_t a = vld1q_u32(x + 2 * p);
        const uint32x4_t b = is_odd ? vdupq_n_u32(0) : vld1q_u32(x + width + 2 * p);
        const bfloat16x8_t even = zip_tokens(a, b, false), odd = zip_tokens(a, b, true);
#pragma clang loop unroll(full)
        for (int r = 0; r < 4; r++) {
            sums[p][r] = vbfmmlaq_f32(sums[p][r], w[r], even);
            sums[p + 1][r] = vbfmmlaq_f32(sums[p + 1][r], w[r], odd);
        }
    }
}

/* n tokens (8, 4 or 1) of a tile against a panel: 16 sums at most. Twelve tokens would fit the
 * registers, but compilers then copy sums about, which costs more than the loads that it saves. */
static inline __attribute__((always_inline)) void tile_bf16(int n, int32_t width,
                                                            bf16_panel_t panel, const uint32_t* x,
                                                            int32_t pairs, const tile_out_t* out,
                                                            int32_t t) {
    float32x4_t results[8][4];
    for (int half = 0; half < 2; half++) {
        const bfloat16_t* rows = panel.data + half * panel.half;
        float32x4_t sums[4][4];
#pragma clang loop unroll(full)
        for (int p = 0; p < (n + 1) / 2; p++) {
            for (int r = 0; r < 4; r++) sums[p][r] = vdupq_n_f32(0);
        }
        int32_t i = 0;
        for (; i + 2 <= pairs; i += 2, rows += 32) {
            bf16_step(n, width, false, rows, x + (size_t)i * width, sums);
        }
        if (i < pairs) bf16_step(n, width, true, rows, x + (size_t)i * width, sums);
#pragma clang loop unroll(full)
        for (int k = 0; k < n; k++) {
            for (int q = 0; q < 2; q++) {
                const float32x4_t a = sums[k / 2][2 * q], b = sums[k / 2][2 * q + 1];
                results[k][2 * half + q] = k % 2 ? vuzp2q_f32(a, b) : vuzp1q_f32(a, b);
            }
        }
    }
    for (int k = 0; k < n; k++) tile_store(out, t + k, results[k]);
}

/* All tiles of a call against one panel: pairs first ..< first + pairs of `total`. */
static inline void tiles_bf16(const ck_matmul_args_t* a, bf16_panel_t panel, int32_t total,
                              int32_t first, int32_t pairs, const tile_out_t* out) {
    for (int32_t t = 0; t < a->tokens;) {
        const int32_t width = ck_next_tile(a->tokens - t, CK_TILE_WIDE);
        const uint32_t* x = (const uint32_t*)a->x + (size_t)t * total + (size_t)first * width;
        switch (width) {
            case CK_TILE_WIDE:
                for (int i = 0; i < CK_TILE_WIDE; i += 8) {
                    tile_bf16(8, width, panel, x + i, pairs, out, t + i);
                }
                break;
            case 8:
                tile_bf16(8, width, panel, x, pairs, out, t);
                break;
            case 4:
                tile_bf16(4, width, panel, x, pairs, out, t);
                break;
            default:
                tile_bf16(1, width, panel, x, pairs, out, t);
        }
        t += width;
    }
}

#endif
