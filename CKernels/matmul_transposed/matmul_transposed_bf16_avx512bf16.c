/* dx[t, k] = Σ_o bf16(dy[t, o]) * bf16(w[o, k]), summed in f32.
 * dy tiled [tile][rows/2][width][2] bf16; w packed 16 rows a block; dx [tokens, stride].
 * Limit: vdpbf16ps throughput. 16 columns of W become a panel of row pairs [rows/2][16][2] in L2;
 * the rest is the forward product's micro-kernel. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "matmul/matmul.h"
#include "pack/pack.h"
#include "selection/table.h"

#pragma clang attribute push(                                                          \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma,f16c"))), \
    apply_to = function)

#include "matmul/tile_avx512bf16.h"
#include "matmul_transposed/panel_avx512.h"

void ck_matmul_transposed_bf16_avx512bf16(const ck_matmul_args_t* a, int64_t begin, int64_t end,
                                          void* scratch) {
    const ck_matrix_t* w = a->w;
    __m512i* panel = scratch;
    /* rows outside, so that their part of dy stays in cache for all blocks of columns */
    for (int32_t o = 0; o < w->rows; o += CK_PANEL_COLS) {
        const int32_t count = w->rows - o < CK_PANEL_COLS ? w->rows - o : CK_PANEL_COLS;
        for (int64_t b = begin; b < end; b++) {
            for (int32_t r = 0; r < count; r += 16) {
                __m512 rows[16];
                transposed_rows(w, (o + r) / 16, b, rows);
                for (int i = 0; i < 8; i++) {
                    _mm512_store_si512(panel + r / 2 + i, bf16_pair(rows[2 * i], rows[2 * i + 1]));
                }
            }
            tile_out_t out = tile_out(a, b, w->cols);
            out.accumulate |= o > 0;
            tiles_bf16(a, panel, (w->rows + 1) / 2, o / 2, (count + 1) / 2, &out);
        }
    }
}

#pragma clang attribute pop
#endif
