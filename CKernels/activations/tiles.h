/* Tiles of tokens, in which activations are laid out for products.
 *
 * A panel of 16 weight rows meets a tile of tokens, summed over the columns. Tiles are CK_TILE_WIDE
 * (of int8 CK_TILE_WIDE_INT8) tokens wide, then narrower for what is left (ck_next_tile), and the
 * inner loop reads one stream of weights and one of activations:
 *   f32   [tile][cols][width]             one float a column and token
 *   bf16  [tile][cols/2][width][2]        a pair of columns a token (odd cols padded with zeros)
 *   int8  [tile][cols/4][width][4]        four columns a token; with
 *         scale, sum [tile][groups][width] f32: x ≈ scale * q, and scale * Σ q over the group
 * A tile that begins at token t starts at element t * (padded) cols. */
#ifndef CK_ACTIVATIONS_TILES_H
#define CK_ACTIVATIONS_TILES_H

#include <stdint.h>

enum { CK_TILE_WIDE = 24, CK_TILE_WIDE_INT8 = 12 };

/* Width of the next tile where `left` tokens remain: the widest, 8, 4 or 1. */
static inline int32_t ck_next_tile(int32_t left, int32_t widest) {
    if (left >= widest) return widest;
    if (left >= 8) return 8;
    return left >= 4 ? 4 : 1;
}

/* The tile that token t of `tokens` lies in: where it begins and how wide it is. */
static inline int32_t ck_tile_of(int32_t t, int32_t tokens, int32_t widest, int32_t* width) {
    for (int32_t begin = 0;; begin += *width) {
        *width = ck_next_tile(tokens - begin, widest);
        if (t < begin + *width) return begin;
    }
}

#endif
