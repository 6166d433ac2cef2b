#ifndef CK_LORA_H
#define CK_LORA_H

#include <stdbool.h>
#include <stdint.h>

/* The three skinny products that LoRA consists of. Every one works on a range of its outputs and
 * sums each output element from first to last, so a range's borders never change a result. */

/* down [tokens, rank], rows begin ..< end: down[t, r] = scale * Σ_i x[t, i] * a[i, r].
 * x [tokens, width], a [width, rank]. */
typedef void ck_lora_down_fn(const float* x, const float* a, float scale, int64_t begin,
                             int64_t end, int32_t width, int32_t rank, float* down);

/* y [tokens, width], rows begin ..< end: y[t, o] += scale * Σ_r down[t, r] * b[r, o].
 * down [tokens, rank], b [rank, width]. */
typedef void ck_lora_up_fn(const float* down, const float* b, float scale, int64_t begin,
                           int64_t end, int32_t width, int32_t rank, float* y);

/* Columns begin ..< end of wide: gradient(r, i) += scale * Σ_t narrow[t, r] * wide[t, i].
 * narrow [tokens, rank], wide [tokens, width]. gradient is [rank, width], or [width, rank] where
 * `transposed`. */
typedef void ck_lora_outer_fn(const float* narrow, const float* wide, float scale, int64_t begin,
                              int64_t end, int32_t tokens, int32_t width, int32_t rank,
                              bool transposed, float* gradient);

#endif
