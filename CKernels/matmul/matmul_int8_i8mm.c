/* y[t, o] = Σ_g xs[t, g] * (scale[o, g] * Σ_{k in g} q[o, k] * xq[t, k]
 *                            + bias[o, g] * Σ_{k in g} xq[t, k])
 * xq tiled [tile][cols/4][width][4] int8; w packed 16 rows a block; y [tokens, stride].
 * Limits: one token: memory bandwidth, by sdot. Many: usmmla throughput, 2 rows × 2 tokens × 8
 * columns an instruction. Both operands want 8 columns of a row side by side: one zip of words
 * makes them from two runs of 4 columns. A block is zipped once, into L1, for all tiles of tokens;
 * 8 of its rows against 12 tokens take 24 sums, four weights and two activations of the 32
 * registers. */
#if defined(__aarch64__)
#include <arm_neon.h>

#include "selection/table.h"

#pragma clang attribute push(__attribute__((target("dotprod,i8mm"))), apply_to = function)

typedef int32x4_t dots_t;

static inline dots_t dots_zero(void) { return vdupq_n_s32(0); }

static inline int32x4_t dots_rows(dots_t dots) { return dots; }

#define dots_add(dots, w, x, lane) vdotq_laneq_s32(dots, w, x, lane)

#include "matmul/tile_int8_neon.h"

/* Where the parts of a zipped block lie in scratch. */
typedef struct {
    uint8_t* values; /* [half][cols/8][4][16]: two rows × 8 columns of the 8 rows of a half */
    float* scales;   /* [groups][32]: 16 scales, then 16 biases */
} panel_t;

static panel_t panel_in(void* scratch, int32_t cols) {
    return (panel_t){scratch, (float*)((uint8_t*)scratch + 16 * (size_t)cols)};
}

static inline uint8x16_t zip_low(uint8x16_t a, uint8x16_t b) {
    return vreinterpretq_u8_u32(vzip1q_u32(vreinterpretq_u32_u8(a), vreinterpretq_u32_u8(b)));
}

static inline uint8x16_t zip_high(uint8x16_t a, uint8x16_t b) {
    return vreinterpretq_u8_u32(vzip2q_u32(vreinterpretq_u32_u8(a), vreinterpretq_u32_u8(b)));
}

static inline __attribute__((always_inline)) void zip_block(int32_t bits, const ck_matrix_t* w,
                                                            const uint8_t* block, panel_t panel) {
    const size_t value_bytes = ck_group_value_bytes(bits, w->group_size);
    uint8_t *low = panel.values, *high = low + 8 * (size_t)w->cols;
    for (int32_t g = 0; g < w->cols / w->group_size; g++) {
        for (size_t at = 0; at < value_bytes; at += 16 * (size_t)bits, low += 64, high += 64) {
            uint8x16_t c[2][4];
            columns8(bits, block + at, c);
#pragma clang loop unroll(full)
            for (int part = 0; part < 4; part++) {
                uint8_t* out = (part < 2 ? low : high) + 32 * (part % 2);
                vst1q_u8(out, zip_low(c[0][part], c[1][part]));
                vst1q_u8(out + 16, zip_high(c[0][part], c[1][part]));
            }
        }
        for (int i = 0; i < 8; i++) {
            vst1q_f32(panel.scales + 32 * g + 4 * i,
                      load4(block + value_bytes, w->scale_dtype, 4 * i));
        }
        block += ck_group_bytes(bits, w->group_size, w->scale_dtype);
    }
}

/* 2 * pairs tokens against the 8 rows of a half, whose values and scales begin at those pointers.
 * sums[i][q]: rows 4q ..< 4q + 4 of token i. pairs is a constant at every call. */
static inline __attribute__((always_inline)) void tile_half(int pairs, const ck_matrix_t* w,
                                                            const uint8_t* values,
                                                            const float* scales, const int8_t* x,
                                                            const float* xs, const float* xsum,
                                                            float32x4_t (*sums)[4]) {
    const int width = 2 * pairs;
    for (int32_t g = 0; g < w->cols / w->group_size; g++) {
        /* lanes: rows 2r, 2r, 2r + 1, 2r + 1 times tokens 2p, 2p + 1, 2p, 2p + 1 */
        int32x4_t dots[6][4];
#pragma clang loop unroll(full)
        for (int p = 0; p < pairs; p++) {
            for (int r = 0; r < 4; r++) dots[p][r] = vdupq_n_s32(0);
        }
        for (int32_t k = 0; k < w->group_size; k += 8, values += 64, x += 8 * width) {
            const uint8x16_t rows[4] = {vld1q_u8(values), vld1q_u8(values + 16),
                                        vld1q_u8(values + 32), vld1q_u8(values + 48)};
#pragma clang loop unroll(full)
            for (int p = 0; p < pairs; p += 2) {
                const uint8x16_t a = vld1q_u8((const uint8_t*)x + 8 * p);
                const uint8x16_t b = vld1q_u8((const uint8_t*)x + 4 * width + 8 * p);
                const int8x16_t even = vreinterpretq_s8_u8(zip_low(a, b));
                const int8x16_t odd = vreinterpretq_s8_u8(zip_high(a, b));
#pragma clang loop unroll(full)
                for (int r = 0; r < 4; r++) {
                    dots[p][r] = vusmmlaq_s32(dots[p][r], rows[r], even);
                    dots[p + 1][r] = vusmmlaq_s32(dots[p + 1][r], rows[r], odd);
                }
            }
        }
#pragma clang loop unroll(full)
        for (int q = 0; q < 2; q++) {
            const float32x4_t scale = vld1q_f32(scales + 4 * q);
            const float32x4_t bias = vld1q_f32(scales + 16 + 4 * q);
#pragma clang loop unroll(full)
            for (int i = 0; i < width; i++) {
                const int32x4_t a = dots[i / 2][2 * q], b = dots[i / 2][2 * q + 1];
                const int32x4_t dot = i % 2 ? vuzp2q_s32(a, b) : vuzp1q_s32(a, b);
                const float32x4_t sum =
                    vfmaq_f32(sums[i][q], vmulq_n_f32(scale, xs[i]), vcvtq_f32_s32(dot));
                sums[i][q] = vfmaq_n_f32(sum, bias, xsum[i]);
            }
        }
        scales += 32;
        xs += width;
        xsum += width;
    }
}

static inline __attribute__((always_inline)) void tile_i8mm(int pairs, const ck_matrix_t* w,
                                                            panel_t panel, const int8_t* x,
                                                            const float* xs, const float* xsum,
                                                            const tile_out_t* out, int32_t t) {
    float32x4_t sums[12][4];
    for (int i = 0; i < 2 * pairs; i++) {
        for (int q = 0; q < 4; q++) sums[i][q] = vdupq_n_f32(0);
    }
    for (int half = 0; half < 2; half++) {
        tile_half(pairs, w, panel.values + 8 * (size_t)w->cols * half, panel.scales + 8 * half, x,
                  xs, xsum, (float32x4_t(*)[4]) & sums[0][2 * half]);
    }
    for (int i = 0; i < 2 * pairs; i++) tile_store(out, t + i, sums[i]);
}

static inline __attribute__((always_inline)) void block_i8mm(const ck_matmul_args_t* a,
                                                             const uint8_t* block,
                                                             const tile_out_t* out, int32_t bits,
                                                             panel_t panel) {
    const ck_matrix_t* w = a->w;
    const int32_t groups = w->cols / w->group_size;
    if (a->tokens >= 4) zip_block(bits, w, block, panel);
    for (int32_t t = 0; t < a->tokens;) {
        const int32_t width = ck_next_tile(a->tokens - t, CK_TILE_WIDE_INT8);
        const int8_t* x = (const int8_t*)a->x + (size_t)t * w->cols;
        const float* xs = a->scale + (size_t)t * groups;
        const float* xsum = a->sum + (size_t)t * groups;
        switch (width) {
            case 12:
                tile_i8mm(6, w, panel, x, xs, xsum, out, t);
                break;
            case 8:
                tile_i8mm(4, w, panel, x, xs, xsum, out, t);
                break;
            case 4:
                tile_i8mm(2, w, panel, x, xs, xsum, out, t);
                break;
            default:
                token_int8(bits, w, block, x, xs, xsum, out, t);
        }
        t += width;
    }
}

void ck_matmul_int8_i8mm(const ck_matmul_args_t* a, int64_t begin, int64_t end, void* scratch) {
    const panel_t panel = panel_in(scratch, a->w->cols);
    for (int64_t b = begin; b < end; b++) {
        const uint8_t* block = (const uint8_t*)a->w->data + b * ck_block_bytes(a->w);
        const tile_out_t out = tile_out(a, b, a->w->rows);
        if (a->w->bits == 4) {
            block_i8mm(a, block, &out, 4, panel);
        } else {
            block_i8mm(a, block, &out, 8, panel);
        }
    }
}

#pragma clang attribute pop
#endif
