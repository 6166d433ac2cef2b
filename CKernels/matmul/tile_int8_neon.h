/* Included by the int8 NEON variants, which differ in how they form dot products of bytes. Before
 * it they define
 *   typedef … dots_t;                       sums of 4 rows for one token
 *   dots_t dots_zero(void);
 *   dots_t dots_add(dots_t, w, x, lane)     += 4 rows × 4 columns in w, times the 4 columns of
 *                                           token `lane` (a constant) of the 4 in x
 *   int32x4_t dots_rows(dots_t);
 * 8-bit values are shifted to q - 128, since both operands are signed; 128 * scale moves to the
 * bias. */
#ifndef CK_MATMUL_TILE_INT8_NEON_H
#define CK_MATMUL_TILE_INT8_NEON_H

#include "matmul/tile_neon.h"

/* The next 8 columns of 16 rows: w[half][part] is 4 rows × 4 columns. A step of 4 bits takes 64
 * bytes, one of 8 bits 128. */
static inline __attribute__((always_inline)) void columns8(int32_t bits, const uint8_t* values,
                                                           uint8x16_t w[2][4]) {
#pragma clang loop unroll(full)
    for (int part = 0; part < 4; part++) {
        const uint8x16_t v = vld1q_u8(values + 16 * part);
        w[0][part] = bits == 4 ? vandq_u8(v, vdupq_n_u8(15)) : v;
        w[1][part] = bits == 4 ? vshrq_n_u8(v, 4) : vld1q_u8(values + 64 + 16 * part);
    }
}

static inline int8x16_t centred(int32_t bits, uint8x16_t w) {
    return vreinterpretq_s8_u8(bits == 4 ? w : veorq_u8(w, vdupq_n_u8(128)));
}

/* Scale and bias of rows 4 * part ..< 4 * part + 4, for values that went through `centred`. */
static inline void centred_scale(int32_t bits, const ck_matrix_t* w, const uint8_t* scales,
                                 int part, float32x4_t* scale, float32x4_t* bias) {
    *scale = load4(scales, w->scale_dtype, 4 * part);
    *bias = load4(scales, w->scale_dtype, 16 + 4 * part);
    if (bits == 8) *bias = vfmaq_n_f32(*bias, *scale, 128);
}

/* Four tokens of a tile against one block. bits is a constant at every call. */
static inline __attribute__((always_inline)) void tokens_int8(int32_t width, int32_t bits,
                                                              const ck_matrix_t* w,
                                                              const uint8_t* block, const int8_t* x,
                                                              const float* xs, const float* xsum,
                                                              const tile_out_t* out, int32_t t) {
    const int32_t size = w->group_size;
    const size_t value_bytes = ck_group_value_bytes(bits, size), step_bytes = 16 * (size_t)bits;
    float32x4_t sums[4][4];
    for (int i = 0; i < 4; i++) {
        for (int part = 0; part < 4; part++) sums[i][part] = vdupq_n_f32(0);
    }
    for (int32_t g = 0; g < w->cols / size; g++) {
        dots_t dots[4][4];
#pragma clang loop unroll(full)
        for (int i = 0; i < 4; i++) {
            for (int part = 0; part < 4; part++) dots[i][part] = dots_zero();
        }
        for (size_t at = 0; at < value_bytes; at += step_bytes) {
            uint8x16_t columns[2][4];
            columns8(bits, block + at, columns);
#pragma clang loop unroll(full)
            for (int half = 0; half < 2; half++, x += 4 * (size_t)width) {
                const int8x16_t four = vld1q_s8(x);
#pragma clang loop unroll(full)
                for (int part = 0; part < 4; part++) {
                    const int8x16_t v = centred(bits, columns[half][part]);
                    dots[0][part] = dots_add(dots[0][part], v, four, 0);
                    dots[1][part] = dots_add(dots[1][part], v, four, 1);
                    dots[2][part] = dots_add(dots[2][part], v, four, 2);
                    dots[3][part] = dots_add(dots[3][part], v, four, 3);
                }
            }
        }
        for (int part = 0; part < 4; part++) {
            float32x4_t scale, bias;
            centred_scale(bits, w, block + value_bytes, part, &scale, &bias);
#pragma clang loop unroll(full)
            for (int i = 0; i < 4; i++) {
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
    for (int i = 0; i < 4; i++) tile_store(out, t + i, sums[i]);
}

/* One token. Columns 0 to 3 and 4 to 7 of a step have sums of their own: a single chain of dot
 * products for 4 rows would wait for itself. */
static inline __attribute__((always_inline)) void token_int8(int32_t bits, const ck_matrix_t* w,
                                                             const uint8_t* block, const int8_t* x,
                                                             const float* xs, const float* xsum,
                                                             const tile_out_t* out, int32_t t) {
    const int32_t size = w->group_size;
    const size_t value_bytes = ck_group_value_bytes(bits, size), step_bytes = 16 * (size_t)bits;
    float32x4_t sums[4];
    for (int part = 0; part < 4; part++) sums[part] = vdupq_n_f32(0);
    for (int32_t g = 0; g < w->cols / size; g++) {
        dots_t first[4], second[4];
        for (int part = 0; part < 4; part++) first[part] = second[part] = dots_zero();
        for (size_t at = 0; at < value_bytes; at += step_bytes, x += 8) {
            uint8x16_t columns[2][4];
            columns8(bits, block + at, columns);
            const int8x16_t eight = vcombine_s8(vld1_s8(x), vld1_s8(x));
#pragma clang loop unroll(full)
            for (int part = 0; part < 4; part++) {
                first[part] = dots_add(first[part], centred(bits, columns[0][part]), eight, 0);
                second[part] = dots_add(second[part], centred(bits, columns[1][part]), eight, 1);
            }
        }
#pragma clang loop unroll(full)
        for (int part = 0; part < 4; part++) {
            float32x4_t scale, bias;
            centred_scale(bits, w, block + value_bytes, part, &scale, &bias);
            const int32x4_t dot = vaddq_s32(dots_rows(first[part]), dots_rows(second[part]));
            sums[part] = vfmaq_f32(sums[part], vmulq_n_f32(scale, xs[g]), vcvtq_f32_s32(dot));
            sums[part] = vfmaq_n_f32(sums[part], bias, xsum[g]);
        }
        block += ck_group_bytes(bits, size, w->scale_dtype);
    }
    tile_store(out, t, sums);
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
                token_int8(bits, w, block, x, xs, xsum, &out, t);
            } else {
                for (int i = 0; i < width; i += 4) {
                    tokens_int8(width, bits, w, block, x + 4 * i, xs + i, xsum + i, &out, t + i);
                }
            }
            t += width;
        }
    }
}

#endif
