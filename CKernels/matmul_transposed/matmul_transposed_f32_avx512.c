/* dx[t, k] = Σ_o dy[t, o] * w[o, k], f32 throughout.
 * dy tiled [tile][rows][width]; w packed 16 rows a block; dx [tokens, stride].
 * Limit: FMA throughput. 16 columns of W are dequantised and transposed into a panel [rows][16] in
 * L2; the rest is the forward product's micro-kernel. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "matmul/matmul.h"
#include "pack/pack.h"
#include "selection/table.h"

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,f16c"))), apply_to = function)

#include "matmul_transposed/panel_avx512.h"

void ck_matmul_transposed_f32_avx512(const ck_matmul_args_t* a, int64_t begin, int64_t end,
                                     void* scratch) {
    const ck_matrix_t* w = a->w;
    float* panel = scratch;
    /* rows outside, so that their part of dy stays in cache for all blocks of columns */
    for (int32_t o = 0; o < w->rows; o += CK_PANEL_COLS) {
        const int32_t count = w->rows - o < CK_PANEL_COLS ? w->rows - o : CK_PANEL_COLS;
        for (int64_t b = begin; b < end; b++) {
            for (int32_t r = 0; r < count; r += 16) {
                __m512 rows[16];
                transposed_rows(w, (o + r) / 16, b, rows);
                for (int i = 0; i < 16; i++) _mm512_store_ps(panel + 16 * (size_t)(r + i), rows[i]);
            }
            tile_out_t out = tile_out(a, b, w->cols);
            out.accumulate |= o > 0;
            tiles_f32(a, panel, w->rows, o, count, &out);
        }
    }
}

#pragma clang attribute pop
#endif
