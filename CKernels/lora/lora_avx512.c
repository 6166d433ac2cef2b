/* The three products of lora.h. A rank is at most a few vectors wide and in memory contiguous, so:
 *   down   8 tokens × 16 (8) ranks in registers, x broadcast from memory, one load of a per column
 *   up     8 ranks × 32 columns of b in registers, y streamed 16 rows at a time
 *   outer  8 ranks × 32 columns of sums, kept on the stack over blocks of 16 tokens
 * Limit: down and outer issue one fused multiply-add per cycle; up and outer stream y and `wide`
 * once from the cache that holds them. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "selection/table.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))), \
                             apply_to = function)

#define INLINE __attribute__((always_inline)) static inline

enum { TOKENS = 8, ROWS = 16, RANKS = 8, PANEL = 256 };

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

INLINE __mmask16 mask_of(int64_t count) {
    return count >= 16 ? (__mmask16)0xffff : (__mmask16)((1u << count) - 1);
}

/* ---- down ---- */

/* `tokens` rows of down, up to 16 ranks. */
INLINE void down_wide(const float* x, const float* a, float scale, const int tokens, int32_t width,
                      int32_t rank, __mmask16 mask, float* down) {
    __m512 sums[TOKENS];
    for (int t = 0; t < tokens; t++) sums[t] = _mm512_setzero_ps();
    for (int64_t i = 0; i < width; i++) {
        const __m512 row = _mm512_maskz_loadu_ps(mask, a + i * rank);
        for (int t = 0; t < tokens; t++) {
            sums[t] = _mm512_fmadd_ps(_mm512_set1_ps(x[(int64_t)t * width + i]), row, sums[t]);
        }
    }
    for (int t = 0; t < tokens; t++) {
        _mm512_mask_storeu_ps(down + (int64_t)t * rank, mask,
                              _mm512_mul_ps(sums[t], _mm512_set1_ps(scale)));
    }
}

/* `tokens` rows of down, up to 8 ranks: half a vector, where narrow broadcasts cost half as
 * much. */
INLINE void down_narrow(const float* x, const float* a, float scale, const int tokens,
                        int32_t width, int32_t rank, __mmask8 mask, float* down) {
    __m256 sums[TOKENS];
    for (int t = 0; t < tokens; t++) sums[t] = _mm256_setzero_ps();
    for (int64_t i = 0; i < width; i++) {
        const __m256 row = _mm256_maskz_loadu_ps(mask, a + i * rank);
        for (int t = 0; t < tokens; t++) {
            sums[t] = _mm256_fmadd_ps(_mm256_set1_ps(x[(int64_t)t * width + i]), row, sums[t]);
        }
    }
    for (int t = 0; t < tokens; t++) {
        _mm256_mask_storeu_ps(down + (int64_t)t * rank, mask,
                              _mm256_mul_ps(sums[t], _mm256_set1_ps(scale)));
    }
}

/* One row, up to 16 ranks: four sums, because a single one would wait for its own latency. */
INLINE void down_single(const float* x, const float* a, float scale, int32_t width, int32_t rank,
                        __mmask16 mask, float* down) {
    __m512 sums[4];
    for (int j = 0; j < 4; j++) sums[j] = _mm512_setzero_ps();
    int64_t i = 0;
    for (; i + 4 <= width; i += 4) {
        for (int j = 0; j < 4; j++) {
            const __m512 row = _mm512_maskz_loadu_ps(mask, a + (i + j) * rank);
            sums[j] = _mm512_fmadd_ps(_mm512_set1_ps(x[i + j]), row, sums[j]);
        }
    }
    for (; i < width; i++) {
        const __m512 row = _mm512_maskz_loadu_ps(mask, a + i * rank);
        sums[0] = _mm512_fmadd_ps(_mm512_set1_ps(x[i]), row, sums[0]);
    }
    const __m512 sum =
        _mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3]));
    _mm512_mask_storeu_ps(down, mask, _mm512_mul_ps(sum, _mm512_set1_ps(scale)));
}

void ck_lora_down_avx512(const float* x, const float* a, float scale, int64_t begin, int64_t end,
                         int32_t width, int32_t rank, float* down) {
    for (int32_t r = 0; r < rank; r += 16) {
        const __mmask16 mask = mask_of(rank - r);
        int64_t t = begin;
        for (; t + TOKENS <= end; t += TOKENS) {
            const float* rows = x + t * width;
            float* out = down + t * rank + r;
            if (rank - r <= 8) {
                down_narrow(rows, a + r, scale, TOKENS, width, rank, (__mmask8)mask, out);
            } else {
                down_wide(rows, a + r, scale, TOKENS, width, rank, mask, out);
            }
        }
        for (; t < end; t++) {
            down_single(x + t * width, a + r, scale, width, rank, mask, down + t * rank + r);
        }
    }
}

/* ---- up ---- */

/* y[rows, columns of two vectors] += factors [rows][RANKS] * b[ranks, the same columns]. */
INLINE void up_tile(const float factors[ROWS][RANKS], const float* b, const int rows, int ranks,
                    int64_t width, __mmask16 first, __mmask16 second, float* y) {
    __m512 low[RANKS], high[RANKS];
    for (int r = 0; r < RANKS; r++) {
        const bool is_real = r < ranks;
        const float* row = b + (is_real ? r * width : 0);
        low[r] = _mm512_maskz_loadu_ps(is_real ? first : 0, row);
        high[r] = _mm512_maskz_loadu_ps(is_real ? second : 0, row + 16);
    }
    for (int t = 0; t < rows; t++) {
        float* out = y + t * width;
        __m512 left = _mm512_maskz_loadu_ps(first, out);
        __m512 right = _mm512_maskz_loadu_ps(second, out + 16);
        for (int r = 0; r < RANKS; r++) {
            const __m512 factor = _mm512_set1_ps(factors[t][r]);
            left = _mm512_fmadd_ps(factor, low[r], left);
            right = _mm512_fmadd_ps(factor, high[r], right);
        }
        _mm512_mask_storeu_ps(out, first, left);
        _mm512_mask_storeu_ps(out + 16, second, right);
    }
}

void ck_lora_up_avx512(const float* down, const float* b, float scale, int64_t begin, int64_t end,
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
            const float* rows_of_b = b + (int64_t)r * width;
            int64_t o = 0;
            for (; o + 32 <= width; o += 32) {
                up_tile(factors, rows_of_b + o, rows, ranks, width, 0xffff, 0xffff,
                        y + t * width + o);
            }
            if (o < width) {
                const int64_t left = width - o;
                up_tile(factors, rows_of_b + o, rows, ranks, width, mask_of(left),
                        left > 16 ? mask_of(left - 16) : 0, y + t * width + o);
            }
        }
    }
}

/* ---- outer ---- */

/* sums[ranks][two vectors] += narrow [tokens, ranks]ᵀ · wide [tokens, columns of two vectors]. */
INLINE void outer_tile(const float* narrow, const float* wide, const int ranks, int tokens,
                       int64_t width, int64_t rank, __mmask16 first, __mmask16 second,
                       float (*sums)[PANEL]) {
    __m512 low[RANKS], high[RANKS];
    for (int r = 0; r < ranks; r++) {
        low[r] = _mm512_loadu_ps(sums[r]);
        high[r] = _mm512_loadu_ps(sums[r] + 16);
    }
    for (int t = 0; t < tokens; t++) {
        const __m512 left = _mm512_maskz_loadu_ps(first, wide + t * width);
        const __m512 right = _mm512_maskz_loadu_ps(second, wide + t * width + 16);
        for (int r = 0; r < ranks; r++) {
            const __m512 factor = _mm512_set1_ps(narrow[t * rank + r]);
            low[r] = _mm512_fmadd_ps(factor, left, low[r]);
            high[r] = _mm512_fmadd_ps(factor, right, high[r]);
        }
    }
    for (int r = 0; r < ranks; r++) {
        _mm512_storeu_ps(sums[r], low[r]);
        _mm512_storeu_ps(sums[r] + 16, high[r]);
    }
}

/* All tokens of up to PANEL columns. */
INLINE void outer_panel(const float* narrow, const float* wide, const int ranks, int32_t tokens,
                        int64_t width, int64_t rank, int64_t columns, float (*sums)[PANEL]) {
    for (int64_t t = 0; t < tokens; t += ROWS) {
        const int rows = (int)least(ROWS, tokens - t);
        const float* block = wide + t * width;
        for (int64_t i = 0; i < columns; i += 32) {
            const int64_t left = columns - i;
            float (*tile)[PANEL] = (float (*)[PANEL])(&sums[0][i]);
            outer_tile(narrow + t * rank, block + i, ranks, rows, width, rank, mask_of(left),
                       left > 16 ? mask_of(left - 16) : 0, tile);
        }
    }
}

void ck_lora_outer_avx512(const float* narrow, const float* wide, float scale, int64_t begin,
                          int64_t end, int32_t tokens, int32_t width, int32_t rank, bool transposed,
                          float* gradient) {
    for (int64_t i = begin; i < end; i += PANEL) {
        const int64_t columns = least(PANEL, end - i);
        for (int64_t r = 0; r < rank;) {
            float sums[RANKS][PANEL] = {{0}};
            const int64_t left = rank - r;
            const int ranks = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
            const float* factors = narrow + r;
            const float* panel = wide + i;
            if (ranks == 8) outer_panel(factors, panel, 8, tokens, width, rank, columns, sums);
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
