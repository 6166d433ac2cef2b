/* y[t, o] = Σ_k bf16(x[t, k]) * bf16(w[o, k]), summed in f32.
 * x tiled [tile][cols/2][width][2] bf16; w packed 16 rows a block; y [tokens, stride].
 * Limit: bfmmla throughput, 16 products an instruction where fmla has four. A block is dequantised
 * to pairs of rows × four columns once, in L1 or L2, and all tiles of tokens read it. */
#if defined(__aarch64__)
#include <arm_neon.h>

#include "selection/table.h"

#pragma clang attribute push(__attribute__((target("bf16"))), apply_to = function)

#include "matmul/tile_bf16_neon.h"

/* Four columns of 16 rows, [4][16], as the registers of a step. */
static void pair_rows(const float* columns, uint16x8_t c[4][2]) {
    uint16x8_t half[4][2]; /* [column][rows 0 ..< 8, 8 ..< 16] */
    for (int i = 0; i < 8; i++) {
        const float* rows = columns + 8 * i;
        half[i / 2][i % 2] = to_bf16(vld1q_f32(rows), vld1q_f32(rows + 4));
    }
    for (int h = 0; h < 2; h++) {
        const uint32x4_t a = vreinterpretq_u32_u16(vzip1q_u16(half[0][h], half[1][h]));
        const uint32x4_t b = vreinterpretq_u32_u16(vzip1q_u16(half[2][h], half[3][h]));
        const uint32x4_t d = vreinterpretq_u32_u16(vzip2q_u16(half[0][h], half[1][h]));
        const uint32x4_t e = vreinterpretq_u32_u16(vzip2q_u16(half[2][h], half[3][h]));
        c[2 * h][0] = vreinterpretq_u16_u32(vzip1q_u32(a, b));
        c[2 * h][1] = vreinterpretq_u16_u32(vzip2q_u32(a, b));
        c[2 * h + 1][0] = vreinterpretq_u16_u32(vzip1q_u32(d, e));
        c[2 * h + 1][1] = vreinterpretq_u16_u32(vzip2q_u32(d, e));
    }
}

/* Columns first ..< first + count of a block; past the end they are zeros. */
static void load_panel(const ck_matrix_t* w, const uint8_t* block, int32_t first, int32_t count,
                       bf16_panel_t panel) {
    for (int32_t k = 0; k < count; k += 8) {
        float columns[8 * 16] = {0};
        if (w->bits == 32) {
            const size_t left = count - k < 8 ? count - k : 8;
            memcpy(columns, (const float*)block + 16 * (size_t)(first + k), 64 * left);
        } else {
            dequantise(w, block, first + k, 8, columns);
        }
        for (int32_t step = k; step < k + 8 && step < count; step += 4) {
            uint16x8_t c[4][2];
            pair_rows(columns + 16 * (step - k), c);
            bf16_store(panel, step / 4, c);
        }
    }
}

void ck_matmul_bf16_neonbf16(const ck_matmul_args_t* a, int64_t begin, int64_t end, void* scratch) {
    const ck_matrix_t* w = a->w;
    for (int64_t b = begin; b < end; b++) {
        const uint8_t* block = (const uint8_t*)w->data + b * ck_block_bytes(w);
        tile_out_t out = tile_out(a, b, w->rows);
        for (int32_t k = 0; k < w->cols; k += CK_PANEL_COLS) {
            const int32_t count = w->cols - k < CK_PANEL_COLS ? w->cols - k : CK_PANEL_COLS;
            const bf16_panel_t panel = bf16_panel(scratch, count);
            load_panel(w, block, k, count, panel);
            tiles_bf16(a, panel, (w->cols + 1) / 2, k / 2, (count + 1) / 2, &out);
            out.accumulate = true;
        }
    }
}

#pragma clang attribute pop
#endif
