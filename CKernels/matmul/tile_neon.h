/* Included by the NEON variants: dequantising loads and the f32 micro-kernel that both directions
 * share. A block's 16 rows are four vectors of 4. */
#ifndef CK_MATMUL_TILE_NEON_H
#define CK_MATMUL_TILE_NEON_H

#include <arm_neon.h>

#include "matmul/matmul.h"
#include "pack/pack.h"

/* 4 numbers of `dtype`, from index `first`, as f32. */
static inline float32x4_t load4(const void* p, ck_dtype_t dtype, int32_t first) {
    if (dtype == CK_F32) return vld1q_f32((const float*)p + first);
    const uint16x4_t half = vld1_u16((const uint16_t*)p + first);
    if (dtype == CK_F16) return vcvt_f32_f16(vreinterpret_f16_u16(half));
    return vreinterpretq_f32_u32(vshll_n_u16(half, 16));
}

/* Where a tile's results go: 16 floats a token, fewer where the matrix ends. */
typedef struct {
    float* y;
    int32_t stride, count; /* count: rows left, at most 16 */
    bool accumulate;
} tile_out_t;

static inline tile_out_t tile_out(const ck_matmul_args_t* a, int64_t block, int32_t outputs) {
    const int32_t left = outputs - (int32_t)block * 16;
    return (tile_out_t){a->y + block * 16, a->stride, left < 16 ? left : 16, a->accumulate};
}

static inline void tile_store(const tile_out_t* out, int32_t t, const float32x4_t sums[4]) {
    float* y = out->y + (size_t)t * out->stride;
    if (out->count == 16) {
        for (int i = 0; i < 4; i++) {
            vst1q_f32(y + 4 * i,
                      out->accumulate ? vaddq_f32(sums[i], vld1q_f32(y + 4 * i)) : sums[i]);
        }
        return;
    }
    float rows[16];
    for (int i = 0; i < 4; i++) vst1q_f32(rows + 4 * i, sums[i]);
    for (int32_t r = 0; r < out->count; r++) y[r] = out->accumulate ? y[r] + rows[r] : rows[r];
}

/* Columns first ..< first + count of one block as panel [count][16]; both are multiples of 8 where
 * the matrix is quantised. */
static inline void dequantise(const ck_matrix_t* w, const uint8_t* block, int32_t first,
                              int32_t count, float* panel) {
    const int32_t size = w->group_size, columns = w->bits == 4 ? 8 : 4;
    const size_t group_bytes = ck_group_bytes(w->bits, size, w->scale_dtype);
    const size_t value_bytes = ck_group_value_bytes(w->bits, size);
    const uint32x4_t mask = vdupq_n_u32(w->bits == 4 ? 15 : 255);
    for (int32_t k = first; k < first + count; k += columns, panel += 16 * columns) {
        const uint8_t* group = block + k / size * group_bytes;
        const uint8_t* scales = group + value_bytes;
        const uint8_t* chunk = group + 64 * (size_t)(k % size / columns);
        for (int part = 0; part < 4; part++) {
            const float32x4_t scale = load4(scales, w->scale_dtype, 4 * part);
            const float32x4_t bias = load4(scales, w->scale_dtype, 16 + 4 * part);
            const uint32x4_t v = vreinterpretq_u32_u8(vld1q_u8(chunk + 16 * part));
            /* bits 4: nibbles 0, 2, 4, 6 of a lane are columns 0 to 3, then 1, 3, 5, 7 */
            for (int i = 0; i < columns; i++) {
                const int at = 8 * (i % 4) + 4 * (i / 4);
                const uint32x4_t q = vandq_u32(vshlq_u32(v, vdupq_n_s32(-at)), mask);
                vst1q_f32(panel + 16 * i + 4 * part, vfmaq_f32(bias, vcvtq_f32_u32(q), scale));
            }
        }
    }
}

/* y[t, r] = Σ_k x[k, t] * panel[k, r] for n tokens of a tile: x [count][width], panel [count][16].
 * 4n sums live in registers. n is a constant at every call. */
static inline __attribute__((always_inline)) void tile_f32(int n, int32_t width, const float* panel,
                                                           const float* x, int32_t count,
                                                           const tile_out_t* out, int32_t t) {
    float32x4_t sums[6][4];
#pragma clang loop unroll(full)
    for (int i = 0; i < n; i++) {
        for (int part = 0; part < 4; part++) sums[i][part] = vdupq_n_f32(0);
    }
    for (int32_t k = 0; k < count; k++) {
        const float* row = panel + 16 * (size_t)k;
        const float32x4_t w[4] = {vld1q_f32(row), vld1q_f32(row + 4), vld1q_f32(row + 8),
                                  vld1q_f32(row + 12)};
#pragma clang loop unroll(full)
        for (int i = 0; i < n; i++) {
            const float v = x[(size_t)k * width + i];
#pragma clang loop unroll(full)
            for (int part = 0; part < 4; part++) {
                sums[i][part] = vfmaq_n_f32(sums[i][part], w[part], v);
            }
        }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < n; i++) tile_store(out, t + i, sums[i]);
}

/* All tiles of a call against one panel: columns first ..< first + count of `cols`. */
static inline void tiles_f32(const ck_matmul_args_t* a, const float* panel, int32_t cols,
                             int32_t first, int32_t count, const tile_out_t* out) {
    for (int32_t t = 0; t < a->tokens;) {
        const int32_t width = ck_next_tile(a->tokens - t, CK_TILE_WIDE);
        const float* x = (const float*)a->x + (size_t)t * cols + (size_t)first * width;
        if (width == CK_TILE_WIDE) {
            for (int i = 0; i < CK_TILE_WIDE; i += 6) {
                tile_f32(6, width, panel, x + i, count, out, t + i);
            }
        } else if (width >= 4) {
            for (int i = 0; i < width; i += 4) {
                tile_f32(4, width, panel, x + i, count, out, t + i);
            }
        } else {
            tile_f32(1, 1, panel, x, count, out, t);
        }
        t += width;
    }
}

#endif
