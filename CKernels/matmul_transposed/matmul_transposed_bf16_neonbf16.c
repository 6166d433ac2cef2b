/* dx[t, k] = Σ_o bf16(dy[t, o]) * bf16(w[o, k]), summed in f32.
 * dy tiled [tile][rows/2][width][2] bf16; w packed 16 rows a block; dx [tokens, stride].
 * Limit: bfmmla throughput. Squares of 16 columns and 16 rows are dequantised column by column,
 * which is how a sum over rows wants them; the rest is the forward product's micro-kernel. */
#if defined(__aarch64__)
#include <arm_neon.h>

#include "selection/table.h"

#pragma clang attribute push(__attribute__((target("bf16"))), apply_to = function)

#include "matmul/tile_bf16_neon.h"

/* Columns of block b, rows first ..< first + count of them; past the matrix's ends they are
 * zeros. */
static void load_panel(const ck_matrix_t* w, int64_t b, int32_t first, int32_t count,
                       bf16_panel_t panel) {
    const size_t block_bytes = ck_block_bytes(w);
    const int32_t left = w->cols - (int32_t)b * 16;
    for (int32_t r = 0; r < count; r += 16) {
        const uint8_t* block = (const uint8_t*)w->data + (first + r) / 16 * block_bytes;
        float square[16 * 16] = {0}; /* [column][row] */
        if (w->bits == 32) {
            memcpy(square, (const float*)block + 256 * (size_t)b,
                   64 * (size_t)(left < 16 ? left : 16));
        } else {
            dequantise(w, block, (int32_t)b * 16, 16, square);
        }
        for (int32_t step = 0; step < 16 && r + step < count; step += 4) {
            uint16x8_t c[4][2];
            for (int i = 0; i < 8; i++) {
                const float* pair = square + 32 * i + step;
                c[i / 2][i % 2] = to_bf16(vld1q_f32(pair), vld1q_f32(pair + 16));
            }
            bf16_store(panel, (r + step) / 4, c);
        }
    }
}

void ck_matmul_transposed_bf16_neonbf16(const ck_matmul_args_t* a, int64_t begin, int64_t end,
                                        void* scratch) {
    const ck_matrix_t* w = a->w;
    /* rows outside, so that their part of dy stays in cache for all blocks of columns */
    for (int32_t o = 0; o < w->rows; o += CK_PANEL_COLS) {
        const int32_t count = w->rows - o < CK_PANEL_COLS ? w->rows - o : CK_PANEL_COLS;
        const bf16_panel_t panel = bf16_panel(scratch, count);
        for (int64_t b = begin; b < end; b++) {
            tile_out_t out = tile_out(a, b, w->cols);
            out.accumulate |= o > 0;
            load_panel(w, b, o, count, panel);
            tiles_bf16(a, panel, (w->rows + 1) / 2, o / 2, (count + 1) / 2, &out);
        }
    }
}

#pragma clang attribute pop
#endif
