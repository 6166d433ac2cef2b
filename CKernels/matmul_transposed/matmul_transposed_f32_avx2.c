/* dx[t, k] = Σ_o dy[t, o] * w[o, k], f32 throughout.
 * dy tiled [tile][rows][width]; w packed 16 rows a block; dx [tokens, stride].
 * Limit: FMA throughput. Squares of 16 columns and 16 rows are dequantised and transposed into a
 * panel [rows][16]; the rest is the forward product's micro-kernel. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "matmul/matmul.h"
#include "pack/pack.h"
#include "selection/table.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#include "matmul/tile_avx2.h"

/* out[j][i] = in[i][j] for i, j < 8, both with rows of 16 floats. */
static void transpose8(const float* in, float* out) {
    __m256 a[8], b[8];
    for (int i = 0; i < 8; i++) a[i] = _mm256_loadu_ps(in + 16 * i);
    for (int i = 0; i < 8; i += 2) {
        b[i] = _mm256_unpacklo_ps(a[i], a[i + 1]);
        b[i + 1] = _mm256_unpackhi_ps(a[i], a[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        a[i] = _mm256_shuffle_ps(b[i], b[i + 2], 0x44);
        a[i + 1] = _mm256_shuffle_ps(b[i], b[i + 2], 0xee);
        a[i + 2] = _mm256_shuffle_ps(b[i + 1], b[i + 3], 0x44);
        a[i + 3] = _mm256_shuffle_ps(b[i + 1], b[i + 3], 0xee);
    }
    for (int i = 0; i < 4; i++) {
        _mm256_storeu_ps(out + 16 * i, _mm256_permute2f128_ps(a[i], a[i + 4], 0x20));
        _mm256_storeu_ps(out + 16 * (i + 4), _mm256_permute2f128_ps(a[i], a[i + 4], 0x31));
    }
}

void ck_matmul_transposed_f32_avx2(const ck_matmul_args_t* a, int64_t begin, int64_t end,
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
                for (int i = 0; i < 4; i++) {
                    transpose8(square + 128 * (i / 2) + 8 * (i % 2),
                               panel + 16 * (size_t)r + 128 * (i % 2) + 8 * (i / 2));
                }
            }
            tiles_f32(a, panel, w->rows, o, count, &out);
        }
    }
}

#pragma clang attribute pop
#endif
