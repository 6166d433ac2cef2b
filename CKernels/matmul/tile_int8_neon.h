/* Included by the int8 NEON variants, which differ in how they form dot products of bytes. Before it they
 * define
 *   typedef … dots_t;                       sums of 4 rows for one token
 *   dots_t dots_zero(void);
 *   dots_t dots_add(dots_t, w, x, lane)     += 4 rows × 4 columns in w, times the 4 columns of token
 *                                           `lane` (a constant) of the 4 in x
 *   int32x4_t dots_rows(dots_t);
 * 8-bit values are shifted to q - 128, since both operands are signed; 128 * scale moves to the bias. */
#ifndef CK_MATMUL_TILE_INT8_NEON_H
#define CK_MATMUL_TILE_INT8_NEON_H

#include "matmul/tile_neon.h"

/* One 64-byte step of weights: dots[i][part] for n <= 4 tokens, x [width][4]. */
static inline __attribute__((always_inline)) void step(int n, const int8x16_t w[4], const int8_t* x,
                                                       dots_t dots[4][4]) {
    int8x16_t v;
    if (n == 1) {
        int32_t word;
        memcpy(&word, x, 4);
        v = vreinterpretq_s8_s32(vdupq_n_s32(word));
    } else {
        v = vld1q_s8(x);
    }
#pragma clang loop unroll(full)
    for (int part = 0; part < 4; part++) {
        dots[0][part] = dots_add(dots[0][part], w[part], v, 0);
        if (n == 1) continue;
        dots[1][part] = dots_add(dots[1][part], w[part], v, 1);
        dots[2][part] = dots_add(dots[2][part], w[part], v, 2);
        dots[3][part] = dots_add(dots[3][part], w[part], v, 3);
    }
}

/* n tokens (4 or 1) of a tile against one block. n and bits are constants at every call. */
static inline __attribute__((always_inline)) void tile_int8(int n, int32_t width, int32_t bits,
                                                            const ck_matrix_t* w,
                                                            const uint8_t* block, const int8_t* x,
                                                            const float* xs, const float* xsum,
                                                            const tile_out_t* out, int32_t t) {
    const int32_t size = w->group_size;
    const size_t value_bytes = ck_group_value_bytes(bits, size), step_bytes = 4 * (size_t)width;
    float32x4_t sums[4][4];
    for (int i = 0; i < n; i++) {
        for (int part = 0; part < 4; part++) sums[i][part] = vdupq_n_f32(0);
    }
    for (int32_t g = 0; g < w->cols / size; g++) {
        dots_t dots[4][4];
#pragma clang loop unroll(full)
        for (int i = 0; i < n; i++) {
            for (int part = 0; part < 4; part++) dots[i][part] = dots_zero();
        }
        for (size_t at = 0; at < value_bytes; at += 64) {
            int8x16_t first[4], second[4];
#pragma clang loop unroll(full)
            for (int part = 0; part < 4; part++) {
                const uint8x16_t v = vld1q_u8(block + at + 16 * part);
                if (bits == 4) {
                    first[part] = vreinterpretq_s8_u8(vandq_u8(v, vdupq_n_u8(15)));
                    second[part] = vreinterpretq_s8_u8(vshrq_n_u8(v, 4));
                } else {
                    first[part] = vreinterpretq_s8_u8(veorq_u8(v, vdupq_n_u8(128)));
                }
            }
            step(n, first, x, dots);
            x += step_bytes;
            if (bits == 8) continue;
            step(n, second, x, dots);
            x += step_bytes;
        }
        for (int part = 0; part < 4; part++) {
            const float32x4_t scale = load4(block + value_bytes, w->scale_dtype, 4 * part);
            float32x4_t bias = load4(block + value_bytes, w->scale_dtype, 16 + 4 * part);
            if (bits == 8) bias = vfmaq_n_f32(bias, scale, 128);
#pragma clang loop unroll(full)
            for (int i = 0; i < n; i++) {
                const float32x4_t dot = vcvtq_f32_s32(dots_rows(dots[i][part]));
                float32x4_t sum = sums[i][part];
                sum = vfmaq_f32(sum, vmulq_n_f32(scale, xs[i]), dot);
                sums[i][part] = vfmaq_n_f32(sum, bias, xsum[i]);
            }
        }
        block += ck_group_bytes(bits, size, w->scale_dtype);
        xs += width;
        xsum += width;
    }
    for (int i = 0; i < n; i++) tile_store(out, t + i, sums[i]);
}

static inline __attribute__((always_inline)) void matmul_int8(const ck_matmul_args_t* a,
                                                              int64_t begin, int64_t end,
                                                              int32_t bits) {
    const ck_matrix_t* w = a->w;
    const int32_t groups = w->cols / w->group_size;
    for (int64_t b = begin; b < end; b++) {
        const uint8_t* block = (const uint8_t*)w->data + b * ck_block_bytes(w);
        const tile_out_t out = tile_out(a, b, w->rows);
        for (int32_t t = 0; t < a->tokens;) {
            const int32_t width = ck_next_tile(a->tokens - t, CK_TILE_WIDE_INT8);
            const int8_t* x = (const int8_t*)a->x + (size_t)t * w->cols;
            const float* xs = a->scale + (size_t)t * groups;
            const float* xsum = a->sum + (size_t)t * groups;
            if (width == 1) {
                tile_int8(1, 1, bits, w, block, x, xs, xsum, &out, t);
            } else {
                for (int i = 0; i < width; i += 4) {
                    tile_int8(4, width, bits, w, block, x + 4 * i, xs + i, xsum + i, &out, t + i);
                }
            }
            t += width;
        }
    }
}

#endif
