/* What the matmul drivers hand to a variant.
 *
 * All variants share one shape of work: a panel of 16 weight rows against a tile of tokens, summed
 * over the columns. activations/tiles.h says how tiles lie in memory. */
#ifndef CK_MATMUL_H
#define CK_MATMUL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "CKernels.h"
#include "activations/tiles.h"

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

/* y[t, 16b + r] for row blocks begin <= b < end. scratch: ck_panel_bytes(w) bytes, 64-byte aligned,
 * for this thread alone. */
typedef void ck_matmul_fn(const ck_matmul_args_t* args, int64_t begin, int64_t end, void* scratch);
typedef ck_matmul_fn ck_matmul_f32_fn;
typedef ck_matmul_fn ck_matmul_bf16_fn;
typedef ck_matmul_fn ck_matmul_int8_fn;
/* dx[t, 16b + r] for blocks of 16 columns; args->x is dy, tiled over rows; args->y is dx. */
typedef ck_matmul_fn ck_matmul_transposed_f32_fn;
typedef ck_matmul_fn ck_matmul_transposed_bf16_fn;

/* Columns of a panel that is dequantised at a time: 16 rows of them stay in L2. */
enum { CK_PANEL_COLS = 2048 };

#endif
