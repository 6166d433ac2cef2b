/* Rounds activations to int8 digits, in the tiled layout of the int8 products. */
#ifndef CK_MATMUL_ACTIVATIONS_INT8_H
#define CK_MATMUL_ACTIVATIONS_INT8_H

#include "matmul/matmul.h"

/* One digit of all tokens: values, and per group scale and scale * Σ values (see matmul.h). */
typedef struct ck_int8_digit {
    int8_t* q;
    float *scale, *sum;
} ck_int8_digit_t;

/* Bytes of `digits` (1 or 2) digits of `tokens` rows, and of what rounding them needs; a multiple of 64. */
size_t ck_int8_bytes(int32_t tokens, int32_t cols, int32_t digits);

/* Rounds x [tokens, cols] in parallel over tiles: digit[0] is x rounded, digit[1] (where digits is 2) what
 * the first leaves, x - scale * q, rounded the same way with scales of its own. The second follows the first in each of the three arrays, so that the
 * digits of one token are as two tokens. */
void ck_round_int8(const float* x, int32_t tokens, int32_t cols, int32_t group_size, int32_t digits,
                   ck_int8_digit_t digit[2], void* memory);

#endif
