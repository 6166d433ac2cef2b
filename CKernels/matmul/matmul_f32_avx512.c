/* y[t, o] = Σ_k x[t, k] * w[o, k], f32 throughout.
 * x tiled [tile][cols][width]; w packed 16 rows a block; y [tokens, stride].
 * Limit: FMA throughput. A block's columns are dequantised once into an L2 panel [cols][16] (4
 * bits: 3 operations a vector), which all tiles of tokens then read; 24 sums live in registers. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "matmul/matmul.h"
#include "pack/pack.h"
#include "selection/table.h"

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,f16c"))), apply_to = function)

#include "matmul/tile_avx512.h"

/* Groups first ..< first + count of a block as panel [columns][16]. */
static void dequantise(const ck_matrix_t* w, const uint8_t* block, int32_t first, int32_t count,
                       float* panel) {
    const size_t group_bytes = ck_group_bytes(w->bits, w->group_size, w->scale_dtype);
    const size_t value_bytes = ck_group_value_bytes(w->bits, w->group_size);
    for (int32_t g = first; g < first + count; g++) {
        const uint8_t* group = block + g * group_bytes;
        const uint8_t* scales = group + value_bytes;
        const __m512 scale = load16(scales, w->scale_dtype);
        const __m512 bias = load16(scales + 16 * ck_dtype_bytes(w->scale_dtype), w->scale_dtype);
        for (size_t at = 0; at < value_bytes; at += 64) {
            const __m512i v = _mm512_loadu_si512(group + at);
#pragma clang loop unroll(full)
            for (int j = 0; j < 4; j++) {
                if (w->bits == 8) {
                    _mm512_store_ps(panel + 16 * j,
                                    _mm512_fmadd_ps(lane_byte(v, 8 * j, 255), scale, bias));
                } else {
                    _mm512_store_ps(panel + 16 * j,
                                    _mm512_fmadd_ps(lane_byte(v, 8 * j, 15), scale, bias));
                    _mm512_store_ps(panel + 64 + 16 * j,
                                    _mm512_fmadd_ps(lane_byte(v, 8 * j + 4, 15), scale, bias));
                }
            }
            panel += w->bits == 8 ? 64 : 128;
        }
    }
}

void ck_matmul_f32_avx512(const ck_matmul_args_t* a, int64_t begin, int64_t end, void* scratch) {
    const ck_matrix_t* w = a->w;
    const size_t block_bytes = ck_block_bytes(w);
    for (int64_t b = begin; b < end; b++) {
        const uint8_t* block = (const uint8_t*)w->data + b * block_bytes;
        tile_out_t out = tile_out(a, b, w->rows);
        if (w->bits == 32) {
            tiles_f32(a, (const float*)block, w->cols, 0, w->cols, &out);
            continue;
        }
        for (int32_t k = 0; k < w->cols; k += CK_PANEL_COLS) {
            const int32_t count = w->cols - k < CK_PANEL_COLS ? w->cols - k : CK_PANEL_COLS;
            dequantise(w, block, k / w->group_size, count / w->group_size, scratch);
            tiles_f32(a, scratch, w->cols, k, count, &out);
            out.accumulate = true;
        }
    }
}

#pragma clang attribute pop
#endif
