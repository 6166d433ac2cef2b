/* The products that attention consists of, on blocks of CK_KEY_BLOCK keys; included by
 * attention_loops.h and attention_backward_loops.h. */
#ifndef CK_ATTENTION_BLOCK_PRODUCTS_H
#define CK_ATTENTION_BLOCK_PRODUCTS_H

#include "attention/attention.h"
#include "math/vector.h"

/* What the registers hold of a product, 6 rows × 16 columns, of AVX-512 64: 12 sums of AVX2's 16
 * registers, 24 of the 32 that the others have. */
enum {
    REGISTER_ROWS = 6,
    REGISTER_COLUMNS = CK_LANES == 16 ? 64 : 16,
    REGISTER_VECTORS = REGISTER_COLUMNS / CK_LANES,
    LEAST_COLUMNS = 16, /* what all widths are multiples of */
    LEAST_VECTORS = LEAST_COLUMNS / CK_LANES
};

/* c[r][columns] (+)= Σ_i a[r][i * step] * b[i * b_stride + columns] for a tile of `vectors`
 * columns. rows and vectors are constants at every call. */
CK_INLINE void product_tile(int rows, int vectors, const float* const* a, int32_t step,
                            const float* b, int64_t b_stride, int32_t count, float* const* c,
                            bool accumulate) {
    vec_t sums[REGISTER_ROWS][REGISTER_VECTORS];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) {
            sums[r][j] = accumulate ? vec_load(c[r] + CK_LANES * j) : vec_of(0);
        }
    }
    for (int32_t i = 0; i < count; i++) {
        vec_t row[REGISTER_VECTORS];
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) row[j] = vec_load(b + i * b_stride + CK_LANES * j);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            const vec_t v = vec_of(a[r][(int64_t)i * step]);
#pragma clang loop unroll(full)
            for (int j = 0; j < vectors; j++) sums[r][j] = vec_fma(v, row[j], sums[r][j]);
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) vec_store(c[r] + CK_LANES * j, sums[r][j]);
    }
}

/* All rows of one tile's columns. */
CK_INLINE void product_columns(int vectors, int32_t rows, const float* const* a, int32_t step,
                               const float* b, int64_t b_stride, int32_t count, float* c,
                               int64_t c_stride, bool accumulate) {
    for (int32_t r = 0; r < rows;) {
        float* to[REGISTER_ROWS];
        const int32_t left = rows - r, here = left >= REGISTER_ROWS ? REGISTER_ROWS
                                              : left >= 3           ? 3
                                                                    : 1;
        for (int i = 0; i < here; i++) to[i] = c + (r + i) * c_stride;
        if (here == 6) product_tile(6, vectors, a + r, step, b, b_stride, count, to, accumulate);
        if (here == 3) product_tile(3, vectors, a + r, step, b, b_stride, count, to, accumulate);
        if (here == 1) product_tile(1, vectors, a + r, step, b, b_stride, count, to, accumulate);
        r += here;
    }
}

/* c[r][0 ..< width] (+)= Σ_i a[r][i * step] * b[i * b_stride ..< + width]; width is a multiple of
 * 16. Row r of c begins at c + r * c_stride. */
static inline void product(int32_t rows, const float* const* a, int32_t step, const float* b,
                           int64_t b_stride, int32_t count, float* c, int64_t c_stride,
                           int32_t width, bool accumulate) {
    int32_t k = 0;
    for (; k + REGISTER_COLUMNS <= width; k += REGISTER_COLUMNS) {
        product_columns(REGISTER_VECTORS, rows, a, step, b + k, b_stride, count, c + k, c_stride,
                        accumulate);
    }
    for (; k < width; k += LEAST_COLUMNS) {
        product_columns(LEAST_VECTORS, rows, a, step, b + k, b_stride, count, c + k, c_stride,
                        accumulate);
    }
}

/* out[d][j] = rows[j][d] for `count` <= 64 rows of `dim` numbers, `stride` apart; out [dim][64],
 * zeros past `count`. dim is a multiple of 4. */
static inline void transpose_block(const float* rows, int64_t stride, int32_t count, int32_t dim,
                                   float* out) {
    for (int32_t j = 0; j < CK_KEY_BLOCK; j += 4) {
        for (int32_t d = 0; d < dim; d += 4) {
            quad_vec_t square[4] = {{0}};
            for (int i = 0; i < 4; i++) {
                if (j + i < count)
                    memcpy(&square[i], rows + (j + i) * stride + d, sizeof(quad_vec_t));
            }
            quad_transpose(square);
            for (int i = 0; i < 4; i++) {
                memcpy(out + (int64_t)(d + i) * CK_KEY_BLOCK + j, &square[i], sizeof(quad_vec_t));
            }
        }
    }
}

#endif
