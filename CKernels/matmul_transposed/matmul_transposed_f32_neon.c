/* dx[t, k] = Σ_o dy[t, o] * w[o, k], f32 throughout.
 * dy tiled [tile][rows][width]; w packed 16 rows a block; dx [tokens, stride].
 * Limit: FMA throughput. Squares of 16 columns and 16 rows are dequantised and transposed into a
 * panel [rows][16]; the rest is the forward product's micro-kernel. */
#if defined(__aarch64__)
#include "matmul/tile_neon.h"
#include "selection/table.h"

/* out[j][i] = in[i][j] for i, j < 16. A structured load of four rows' worth is the 4 × 4
 * transpose. */
static void transpose16(const float* in, float* out) {
    for (int i = 0; i < 16; i += 4) {
        for (int j = 0; j < 16; j += 4) {
            float32x4x4_t square = {{vld1q_f32(in + 16 * i + j), vld1q_f32(in + 16 * (i + 1) + j),
                                     vld1q_f32(in + 16 * (i + 2) + j),
                                     vld1q_f32(in + 16 * (i + 3) + j)}};
            float rows[16];
            vst4q_f32(rows, square);
            for (int r = 0; r < 4; r++) vst1q_f32(out + 16 * (j + r) + i, vld1q_f32(rows + 4 * r));
        }
    }
}

void ck_matmul_transposed_f32_neon(const ck_matmul_args_t* a, int64_t begin, int64_t end,
                                   void* scratch) {
    const ck_matrix_t* w = a->w;
    float* panel = scratch;
    const size_t block_bytes = ck_block_bytes(w);
    /* rows outside, so that their part of dy stays in cache for all blocks of columns */
    for (int32_t o = 0; o < w->rows; o += CK_PANEL_COLS) {
        const int32_t count = w->rows - o < CK_PANEL_COLS ? w->rows - o : CK_PANEL_COLS;
        for (int64_t b = begin; b < end; b++) {
            tile_out_t out = tile_out(a, b, w->cols);
            out.accumulate |= o > 0;
            for (int32_t r = 0; r < count; r += 16) {
                const uint8_t* block = (const uint8_t*)w->data + (o + r) / 16 * block_bytes;
                float square[16 * 16] = {0}; /* columns past the end stay zero */
                if (w->bits == 32) {
                    memcpy(square, (const float*)block + 256 * (size_t)b, 64 * (size_t)out.count);
                } else {
                    dequantise(w, block, (int32_t)b * 16, 16, square);
                }
                transpose16(square, panel + 16 * (size_t)r);
            }
            tiles_f32(a, panel, w->rows, o, count, &out);
        }
    }
}
#endif
