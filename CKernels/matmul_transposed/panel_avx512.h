/* Included by the AVX-512 variants after tile_avx512.h, inside their target region: 16 columns of a
 * packed matrix, one row after the other, which is what a sum over rows wants. */
#ifndef CK_MATMUL_TRANSPOSED_PANEL_AVX512_H
#define CK_MATMUL_TRANSPOSED_PANEL_AVX512_H

#include "matmul/tile_avx512.h"

/* The 128-bit lane `lane` (0 to 3) of v. lane is a constant at every call, which the instruction
 * wants spelled out. */
static inline __attribute__((always_inline)) __m128i lane_of(__m512i v, int lane) {
    switch (lane) {
        case 0:
            return _mm512_castsi512_si128(v);
        case 1:
            return _mm512_extracti32x4_epi32(v, 1);
        case 2:
            return _mm512_extracti32x4_epi32(v, 2);
        default:
            return _mm512_extracti32x4_epi32(v, 3);
    }
}

/* rows[r] = w[16*row_block + r, 16*column_block ..< + 16], r < 16, as f32. */
static inline void transposed_rows(const ck_matrix_t* w, int64_t row_block, int64_t column_block,
                                   __m512 rows[16]) {
    const uint8_t* block = (const uint8_t*)w->data + row_block * ck_block_bytes(w);
    const int32_t column = (int32_t)column_block * 16;
    if (w->bits == 32) {
        float square[16][16] = {{0}};
        for (int32_t j = 0; j < 16 && column + j < w->cols; j++) {
            for (int r = 0; r < 16; r++) {
                square[r][j] = ((const float*)block)[16 * (size_t)(column + j) + r];
            }
        }
        for (int r = 0; r < 16; r++) rows[r] = _mm512_loadu_ps(square[r]);
        return;
    }
    const uint8_t* group =
        block + column / w->group_size * ck_group_bytes(w->bits, w->group_size, w->scale_dtype);
    const int32_t offset = column % w->group_size;
    const uint8_t* scales = group + ck_group_value_bytes(w->bits, w->group_size);
    /* c[i]: columns 4i ..< 4i + 4 of 16 rows, a byte each */
    __m512i c[4];
    if (w->bits == 4) {
        const __m512i low = _mm512_set1_epi8(15);
        for (int i = 0; i < 2; i++) {
            const __m512i v = _mm512_loadu_si512(group + 64 * (size_t)(offset / 8 + i));
            c[2 * i] = _mm512_and_si512(v, low);
            c[2 * i + 1] = _mm512_and_si512(_mm512_srli_epi16(v, 4), low);
        }
    } else {
        for (int i = 0; i < 4; i++) {
            c[i] = _mm512_loadu_si512(group + 64 * (size_t)(offset / 4 + i));
        }
    }
    /* 4 × 4 words in each 128-bit lane: lane l then holds the 16 columns of row 4l + i. */
    const __m512i t0 = _mm512_unpacklo_epi32(c[0], c[1]), t1 = _mm512_unpackhi_epi32(c[0], c[1]);
    const __m512i t2 = _mm512_unpacklo_epi32(c[2], c[3]), t3 = _mm512_unpackhi_epi32(c[2], c[3]);
    const __m512i lanes[4] = {_mm512_unpacklo_epi64(t0, t2), _mm512_unpackhi_epi64(t0, t2),
                              _mm512_unpacklo_epi64(t1, t3), _mm512_unpackhi_epi64(t1, t3)};
    float scale[16], bias[16];
    _mm512_storeu_ps(scale, load16(scales, w->scale_dtype));
    _mm512_storeu_ps(bias, load16(scales + 16 * ck_dtype_bytes(w->scale_dtype), w->scale_dtype));
#pragma clang loop unroll(full)
    for (int r = 0; r < 16; r++) {
        const __m512i q = _mm512_cvtepu8_epi32(lane_of(lanes[r % 4], r / 4));
        rows[r] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(q), _mm512_set1_ps(scale[r]),
                                  _mm512_set1_ps(bias[r]));
    }
}

#endif
