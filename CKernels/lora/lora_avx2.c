/* The three products of lora.h. A rank is a vector or two wide and in memory contiguous, so:
 *   down   8 tokens × 8 ranks in registers, x broadcast from memory, one load of a per column
 *   up     8 columns of 8 ranks of b in registers, y streamed 16 rows at a time
 *   outer  4 ranks × 16 columns of sums, kept on the stack over blocks of 16 tokens
 * Limit: two fused multiply-adds per cycle where the two loads per cycle keep up. Incomplete
 * vectors are masked, so that no element's roundings depend on its place. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "selection/table.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define INLINE __attribute__((always_inline)) static inline

enum { TOKENS = 8, ROWS = 16, RANKS = 8, SUMS = 4, PANEL = 256 };

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

INLINE __m256i mask_of(int64_t count) {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int32_t)least(count, 8)), lanes);
}

/* ---- down ---- */

INLINE void down_block(const float* x, const float* a, float scale, const int tokens, int32_t width,
                       int32_t rank, __m256i mask, float* down) {
    __m256 sums[TOKENS];
    for (int t = 0; t < tokens; t++) sums[t] = _mm256_setzero_ps();
    for (int64_t i = 0; i < width; i++) {
        const __m256 row = _mm256_maskload_ps(a + i * rank, mask);
        for (int t = 0; t < tokens; t++) {
            sums[t] = _mm256_fmadd_ps(_mm256_set1_ps(x[(int64_t)t * width + i]), row, sums[t]);
        }
    }
    for (int t = 0; t < tokens; t++) {
        _mm256_maskstore_ps(down + (int64_t)t * rank, mask,
                            _mm256_mul_ps(sums[t], _mm256_set1_ps(scale)));
    }
}

void ck_lora_down_avx2(const float* x, const float* a, float scale, int64_t begin, int64_t end,
                       int32_t width, int32_t rank, float* down) {
    for (int32_t r = 0; r < rank; r += 8) {
        const __m256i mask = mask_of(rank - r);
        int64_t t = begin;
        for (; t + TOKENS <= end; t += TOKENS) {
            down_block(x + t * width, a + r, scale, TOKENS, width, rank, mask, down + t * rank + r);
        }
        for (; t < end; t++) {
            down_block(x + t * width, a + r, scale, 1, width, rank, mask, down + t * rank + r);
        }
    }
}

/* ---- up ---- */

INLINE void up_tile(const float factors[ROWS][RANKS], const float* b, int rows, int ranks,
                    int64_t width, __m256i mask, float* y) {
    __m256 columns[RANKS];
    for (int r = 0; r < RANKS; r++) {
        columns[r] = r < ranks ? _mm256_maskload_ps(b + r * width, mask) : _mm256_setzero_ps();
    }
    for (int t = 0; t < rows; t++) {
        __m256 sum = _mm256_maskload_ps(y + t * width, mask);
        for (int r = 0; r < RANKS; r++) {
            sum = _mm256_fmadd_ps(_mm256_set1_ps(factors[t][r]), columns[r], sum);
        }
        _mm256_maskstore_ps(y + t * width, mask, sum);
    }
}

void ck_lora_up_avx2(const float* down, const float* b, float scale, int64_t begin, int64_t end,
                     int32_t width, int32_t rank, float* y) {
    for (int64_t t = begin; t < end; t += ROWS) {
        const int rows = (int)least(ROWS, end - t);
        for (int32_t r = 0; r < rank; r += RANKS) {
            const int ranks = (int)least(RANKS, rank - r);
            float factors[ROWS][RANKS] = {{0}};
            for (int i = 0; i < rows; i++) {
                for (int j = 0; j < ranks; j++)
                    factors[i][j] = scale * down[(t + i) * rank + r + j];
            }
            for (int64_t o = 0; o < width; o += 8) {
                up_tile(factors, b + (int64_t)r * width + o, rows, ranks, width, mask_of(width - o),
                        y + t * width + o);
            }
        }
    }
}

/* ---- outer ---- */

/* sums[ranks][two vectors] += narrow [tokens, ranks]ᵀ · wide [tokens, columns of two vectors]. */
INLINE void outer_tile(const float* narrow, const float* wide, const int ranks, int tokens,
                       int64_t width, int64_t rank, __m256i first, __m256i second,
                       float (*sums)[PANEL]) {
    __m256 low[SUMS], high[SUMS];
    for (int r = 0; r < ranks; r++) {
        low[r] = _mm256_loadu_ps(sums[r]);
        high[r] = _mm256_loadu_ps(sums[r] + 8);
    }
    for (int t = 0; t < tokens; t++) {
        const __m256 left = _mm256_maskload_ps(wide + t * width, first);
        const __m256 right = _mm256_maskload_ps(wide + t * width + 8, second);
        for (int r = 0; r < ranks; r++) {
            const __m256 factor = _mm256_set1_ps(narrow[t * rank + r]);
            low[r] = _mm256_fmadd_ps(factor, left, low[r]);
            high[r] = _mm256_fmadd_ps(factor, right, high[r]);
        }
    }
    for (int r = 0; r < ranks; r++) {
        _mm256_storeu_ps(sums[r], low[r]);
        _mm256_storeu_ps(sums[r] + 8, high[r]);
    }
}

/* All tokens of up to PANEL columns. */
INLINE void outer_panel(const float* narrow, const float* wide, const int ranks, int32_t tokens,
                        int64_t width, int64_t rank, int64_t columns, float (*sums)[PANEL]) {
    for (int64_t t = 0; t < tokens; t += ROWS) {
        const int rows = (int)least(ROWS, tokens - t);
        for (int64_t i = 0; i < columns; i += 16) {
            const int64_t left = columns - i;
            float (*tile)[PANEL] = (float (*)[PANEL])(&sums[0][i]);
            outer_tile(narrow + t * rank, wide + t * width + i, ranks, rows, width, rank,
                       mask_of(left), mask_of(left - 8), tile);
        }
    }
}

void ck_lora_outer_avx2(const float* narrow, const float* wide, float scale, int64_t begin,
                        int64_t end, int32_t tokens, int32_t width, int32_t rank, bool transposed,
                        float* gradient) {
    for (int64_t i = begin; i < end; i += PANEL) {
        const int64_t columns = least(PANEL, end - i);
        for (int64_t r = 0; r < rank;) {
            float sums[SUMS][PANEL];
            memset(sums, 0, sizeof sums);
            const int64_t left = rank - r;
            const int ranks = left >= 4 ? 4 : left >= 2 ? 2 : 1;
            const float* factors = narrow + r;
            const float* panel = wide + i;
            if (ranks == 4) outer_panel(factors, panel, 4, tokens, width, rank, columns, sums);
            if (ranks == 2) outer_panel(factors, panel, 2, tokens, width, rank, columns, sums);
            if (ranks == 1) outer_panel(factors, panel, 1, tokens, width, rank, columns, sums);
            for (int64_t j = 0; j < ranks; j++) {
                const int64_t step = transposed ? rank : 1;
                float* out = gradient + (transposed ? i * rank + r + j : (r + j) * width + i);
                for (int64_t k = 0; k < columns; k++) out[k * step] += scale * sums[j][k];
            }
            r += ranks;
        }
    }
}

#pragma clang attribute pop
#endif
