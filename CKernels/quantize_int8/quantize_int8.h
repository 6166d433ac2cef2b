/* Rounds activations to int8 digits, in the tiled layout of the int8 products
 * (activations/tiles.h).
 *
 * Beside the values of a group stand its scale and scale * Σ q. The sum is that of the rounded
 * values, not of x: then every rounding error is multiplied by the whole weight scale*q + bias,
 * which is centred, and not by scale*q alone (2.3 times the error on SmolLM2). */
#ifndef CK_QUANTIZE_INT8_H
#define CK_QUANTIZE_INT8_H

#include <stddef.h>
#include <stdint.h>

/* A group whose largest magnitude is below this is rounded to zeros: 127/absmax would overflow. */
#define CK_SMALLEST_ABSMAX 1e-30f

/* Rounds tokens begin ..< end, of which the first begins a tile, to int8 tiles. */
typedef void ck_quantize_int8_fn(const float* x, int32_t begin, int32_t end, int32_t tokens,
                                 int32_t cols, int32_t group_size, int8_t* q, float* scale,
                                 float* sum);

/* One digit of all tokens: values, and per group scale and scale * Σ values. */
typedef struct ck_int8_digit {
    int8_t* q;
    float *scale, *sum;
} ck_int8_digit_t;

/* Bytes of `digits` (1 or 2) digits of `tokens` rows, and of what rounding them needs; a multiple
 * of 64. */
size_t ck_int8_bytes(int32_t tokens, int32_t cols, int32_t digits);

/* Rounds x [tokens, cols] in parallel over tiles: digit[0] is x rounded, digit[1] (where digits is
 * 2) is what the first leaves, x - scale * q, rounded the same way with scales of its own. In each
 * of the three arrays the second follows the first, so that the digits of one token are as two
 * tokens. */
void ck_round_int8(const float* x, int32_t tokens, int32_t cols, int32_t group_size, int32_t digits,
                   ck_int8_digit_t digit[2], void* memory);

#endif
