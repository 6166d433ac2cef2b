/* What the matmul drivers hand to a variant.
 *
 * All variants share one shape of work: a panel of 16 weight rows against a tile of tokens, summed over
 * the columns. Tiles are CK_TILE_WIDE tokens wide, then narrower for what is left (ck_next_tile), and
 * activations are laid out per tile, so that the inner loop reads one stream of weights and one of
 * activations:
 *   f32   [tile][cols][width]             one float a column and token
 *   bf16  [tile][cols/2][width][2]        a pair of columns a token (odd cols padded with zeros)
 *   int8  [tile][cols/4][width][4]        four columns a token; with
 *         scale, sum [tile][groups][width] f32: x ≈ scale * q, and scale * Σ q over the group
 * The sum is that of the rounded values, not of x: then every rounding error is multiplied by the whole
 * weight scale*q + bias, which is centred, and not by scale*q alone (2.3 times the error on SmolLM2).
 * A tile that begins at token t starts at element t * (padded) cols. */
#ifndef CK_MATMUL_H
#define CK_MATMUL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "CKernels.h"

enum { CK_TILE_WIDE = 24, CK_TILE_WIDE_INT8 = 12 };

/* A group whose largest magnitude is below this is rounded to zeros: 127/absmax would overflow. */
#define CK_SMALLEST_ABSMAX 1e-30f

/* Width of the next tile where `left` tokens remain: the widest, 8, 4 or 1. */
static inline int32_t ck_next_tile(int32_t left, int32_t widest) {
    if (left >= widest) return widest;
    if (left >= 8) return 8;
    return left >= 4 ? 4 : 1;
}

typedef struct ck_matmul_args {
    const ck_matrix_t* w;
    const void* x;      /* activations, in the tiled layout of the format */
    const float* scale; /* int8 only */
    const float* sum;   /* int8 only */
    int32_t tokens;
    float* y;        /* [tokens, stride] */
    int32_t stride;  /* floats between tokens of y */
    bool accumulate; /* y += instead of y = */
} ck_matmul_args_t;

/* y[t, 16b + r] for row blocks begin <= b < end. scratch: ck_panel_bytes(w) bytes, 64-byte aligned, for
 * this thread alone. */
typedef void ck_matmul_fn(const ck_matmul_args_t* args, int64_t begin, int64_t end, void* scratch);
typedef ck_matmul_fn ck_matmul_f32_fn;
typedef ck_matmul_fn ck_matmul_bf16_fn;
typedef ck_matmul_fn ck_matmul_int8_fn;
/* dx[t, 16b + r] for blocks of 16 columns; args->x is dy, tiled over rows; args->y is dx. */
typedef ck_matmul_fn ck_matmul_transposed_f32_fn;
typedef ck_matmul_fn ck_matmul_transposed_bf16_fn;

/* Lays out tokens begin ..< end, whose first is the first of a tile, as int8 tiles. */
typedef void ck_quantize_int8_fn(const float* x, int32_t begin, int32_t end, int32_t tokens,
                                 int32_t cols, int32_t group_size, int8_t* q, float* scale,
                                 float* sum);

/* Columns of a panel that is dequantised at a time: 16 rows of them stay in L2. */
enum { CK_PANEL_COLS = 2048 };

#endif
