/* Lays activations out in tiles (tiles.h), for the f32 and bf16 products of both directions. */
#ifndef CK_ACTIVATIONS_H
#define CK_ACTIVATIONS_H

#include <stddef.h>
#include <stdint.h>

#include "CKernels.h"

/* Bytes of `tokens` rows of `cols` numbers in the tiled layout of `precision` (EXACT or BF16). */
size_t ck_tiled_bytes(ck_precision_t precision, int32_t tokens, int32_t cols);

/* Writes x [tokens, cols] to `tiles`, in parallel over tiles. */
void ck_tile_activations(ck_precision_t precision, const float* x, int32_t tokens, int32_t cols,
                         void* tiles);

#endif
