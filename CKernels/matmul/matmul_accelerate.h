/* Large f32 products on Apple Silicon: Accelerate's sgemm, which alone reaches the matrix units. */
#ifndef CK_MATMUL_ACCELERATE_H
#define CK_MATMUL_ACCELERATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "CKernels.h"

/* Set to 1 elsewhere, any cblas_sgemm takes the place of Accelerate's. */
#ifndef CK_HAS_ACCELERATE
#if defined(__APPLE__) && defined(__aarch64__)
#define CK_HAS_ACCELERATE 1
#else
#define CK_HAS_ACCELERATE 0
#endif
#endif

/* Whether an f32 product of that many tokens goes there: where it is built, NEON's variant is the
 * active one, the product is large, and the environment does not say CIRCADIA_ACCELERATE=0. */
bool ck_accelerate_takes(int32_t tokens);

/* Bytes that ck_matmul_accelerate and its transpose need of a workspace, 64-byte aligned; 0 where
 * they are not built. */
size_t ck_accelerate_workspace(void);

/* y = x Wᵀ, or y += x Wᵀ; x [tokens, cols], y [tokens, rows]. */
void ck_matmul_accelerate(const float* x, int32_t tokens, const ck_matrix_t* w, float* y,
                          bool accumulate, void* workspace);

/* dx = dy W, or dx += dy W; dy [tokens, rows], dx [tokens, cols]. */
void ck_matmul_transposed_accelerate(const float* dy, int32_t tokens, const ck_matrix_t* w,
                                     float* dx, bool accumulate, void* workspace);

#endif
