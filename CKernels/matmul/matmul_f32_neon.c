/* y[t, o] = Σ_k x[t, k] * w[o, k], f32 throughout.
 * x tiled [tile][cols][width]; w packed 16 rows a block; y [tokens, stride].
 * Limit: FMA throughput. A block's columns are dequantised once into a panel [columns][16], which
 * all tiles of tokens then read six tokens at a time: 24 sums and four weights of the 32
 * registers. */
#if defined(__aarch64__)
#include "matmul/tile_neon.h"
#include "selection/table.h"

void ck_matmul_f32_neon(const ck_matmul_args_t* a, int64_t begin, int64_t end, void* scratch) {
    const ck_matrix_t* w = a->w;
    for (int64_t b = begin; b < end; b++) {
        const uint8_t* block = (const uint8_t*)w->data + b * ck_block_bytes(w);
        tile_out_t out = tile_out(a, b, w->rows);
        if (w->bits == 32) {
            tiles_f32(a, (const float*)block, w->cols, 0, w->cols, &out);
            continue;
        }
        for (int32_t k = 0; k < w->cols; k += CK_PANEL_COLS) {
            const int32_t count = w->cols - k < CK_PANEL_COLS ? w->cols - k : CK_PANEL_COLS;
            dequantise(w, block, k, count, scratch);
            tiles_f32(a, scratch, w->cols, k, count, &out);
            out.accumulate = true;
        }
    }
}
#endif
