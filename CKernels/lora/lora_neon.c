/* The three products of lora.h. Ranks and columns are taken as many at a time as registers hold:
 *   down   8 tokens × 8 (4, 1) ranks of sums; x by element
 *   up     8 (4, 1) ranks × 8 columns of b, for all tokens of the range
 *   outer  4 (1) ranks × 16 columns of sums, over all tokens
 * Limit: FMA throughput; down and outer load one vector for four products. Every element is summed
 * from first to last with fused products, in vectors and in what is left over alike. */
#if defined(__aarch64__)
#include "selection/table.h"

#define CK_LANES 4

#include "math/vector.h"

enum { TOKENS = 8, ROWS = 16 };

static int32_t least(int64_t a, int64_t b) { return (int32_t)(a < b ? a : b); }

/* ---- down ---- */

/* 4 * vectors ranks of `tokens` rows. Both are constants at every call. */
CK_INLINE void down_tile(int tokens, int vectors, const float* x, const float* a, float scale,
                         int64_t width, int64_t rank, float* down) {
    vec_t sums[TOKENS][2];
    for (int t = 0; t < tokens; t++) {
        for (int j = 0; j < vectors; j++) sums[t][j] = vec_of(0);
    }
    for (int64_t i = 0; i < width; i++) {
        for (int j = 0; j < vectors; j++) {
            const vec_t row = vec_load(a + i * rank + 4 * j);
#pragma clang loop unroll(full)
            for (int t = 0; t < tokens; t++) {
                sums[t][j] = vec_fma(vec_of(x[t * width + i]), row, sums[t][j]);
            }
        }
    }
    for (int t = 0; t < tokens; t++) {
        for (int j = 0; j < vectors; j++) vec_store(down + t * rank + 4 * j, sums[t][j] * scale);
    }
}

/* One rank of up to 8 rows. */
static void down_rank(int tokens, const float* x, const float* a, float scale, int64_t width,
                      int64_t rank, float* down) {
    float sums[TOKENS] = {0};
    for (int64_t i = 0; i < width; i++) {
        for (int t = 0; t < tokens; t++) {
            sums[t] = __builtin_fmaf(x[t * width + i], a[i * rank], sums[t]);
        }
    }
    for (int t = 0; t < tokens; t++) down[t * rank] = sums[t] * scale;
}

void ck_lora_down_neon(const float* x, const float* a, float scale, int64_t begin, int64_t end,
                       int32_t width, int32_t rank, float* down) {
    for (int64_t t = begin; t < end;) {
        const bool is_whole = end - t >= TOKENS;
        const float* rows = x + t * width;
        float* out = down + t * rank;
        int32_t r = 0;
        for (; r + 8 <= rank; r += 8) {
            if (is_whole) down_tile(TOKENS, 2, rows, a + r, scale, width, rank, out + r);
            if (!is_whole) down_tile(1, 2, rows, a + r, scale, width, rank, out + r);
        }
        for (; r + 4 <= rank; r += 4) {
            if (is_whole) down_tile(TOKENS, 1, rows, a + r, scale, width, rank, out + r);
            if (!is_whole) down_tile(1, 1, rows, a + r, scale, width, rank, out + r);
        }
        for (; r < rank; r++) {
            down_rank(is_whole ? TOKENS : 1, rows, a + r, scale, width, rank, out + r);
        }
        t += is_whole ? TOKENS : 1;
    }
}

/* ---- up ---- */

/* y[t, columns] += factors[t, ranks] * b[ranks, columns] for 8 columns, or `left`. ranks is a
 * constant at every call, and so is `left` where it is 8. */
CK_INLINE void up_tile(int ranks, const float (*factors)[8], const float* b, int tokens,
                       int64_t width, int64_t left, float* y) {
    vec_t low[8], high[8];
#pragma clang loop unroll(full)
    for (int r = 0; r < ranks; r++) {
        low[r] = vec_load_part(b + r * width, left, 0);
        high[r] = vec_load_part(b + r * width + 4, left - 4, 0);
    }
    for (int t = 0; t < tokens; t++) {
        float* out = y + t * width;
        vec_t first = vec_load_part(out, left, 0), second = vec_load_part(out + 4, left - 4, 0);
#pragma clang loop unroll(full)
        for (int r = 0; r < ranks; r++) {
            const vec_t factor = vec_of(factors[t][r]);
            first = vec_fma(factor, low[r], first);
            second = vec_fma(factor, high[r], second);
        }
        vec_store_part(out, left, first);
        vec_store_part(out + 4, left - 4, second);
    }
}

CK_INLINE void up_columns(int ranks, const float (*factors)[8], const float* b, int tokens,
                          int64_t width, float* y) {
    int64_t o = 0;
    for (; o + 8 <= width; o += 8) up_tile(ranks, factors, b + o, tokens, width, 8, y + o);
    if (o < width) up_tile(ranks, factors, b + o, tokens, width, width - o, y + o);
}

void ck_lora_up_neon(const float* down, const float* b, float scale, int64_t begin, int64_t end,
                     int32_t width, int32_t rank, float* y) {
    for (int64_t t = begin; t < end; t += ROWS) {
        const int tokens = least(ROWS, end - t);
        for (int32_t r = 0; r < rank;) {
            const int ranks = rank - r >= 8 ? 8 : rank - r >= 4 ? 4 : 1;
            float factors[ROWS][8];
            for (int i = 0; i < tokens; i++) {
                for (int j = 0; j < ranks; j++)
                    factors[i][j] = scale * down[(t + i) * rank + r + j];
            }
            const float* columns = b + (int64_t)r * width;
            float* out = y + t * width;
            if (ranks == 8) up_columns(8, factors, columns, tokens, width, out);
            if (ranks == 4) up_columns(4, factors, columns, tokens, width, out);
            if (ranks == 1) up_columns(1, factors, columns, tokens, width, out);
            r += ranks;
        }
    }
}

/* ---- outer ---- */

/* sums[ranks][16] = narrow [tokens, ranks]ᵀ · wide [tokens, up to 16 columns]. ranks is a constant
 * at every call, and so is `left` where it is 16. */
CK_INLINE void outer_tile(int ranks, const float* narrow, const float* wide, int32_t tokens,
                          int64_t width, int64_t rank, int64_t left, float (*sums)[16]) {
    vec_t tile[4][4];
#pragma clang loop unroll(full)
    for (int r = 0; r < ranks; r++) {
        for (int j = 0; j < 4; j++) tile[r][j] = vec_of(0);
    }
    for (int32_t t = 0; t < tokens; t++) {
#pragma clang loop unroll(full)
        for (int j = 0; j < 4; j++) {
            const vec_t v = vec_load_part(wide + t * width + 4 * j, left - 4 * j, 0);
#pragma clang loop unroll(full)
            for (int r = 0; r < ranks; r++) {
                tile[r][j] = vec_fma(vec_of(narrow[t * rank + r]), v, tile[r][j]);
            }
        }
    }
    for (int r = 0; r < ranks; r++) {
        for (int j = 0; j < 4; j++) vec_store(sums[r] + 4 * j, tile[r][j]);
    }
}

void ck_lora_outer_neon(const float* narrow, const float* wide, float scale, int64_t begin,
                        int64_t end, int32_t tokens, int32_t width, int32_t rank, bool transposed,
                        float* gradient) {
    for (int64_t i = begin; i < end; i += 16) {
        const int32_t columns = least(16, end - i);
        for (int64_t r = 0; r < rank;) {
            const int ranks = rank - r >= 4 ? 4 : 1;
            float sums[4][16];
            const float *factors = narrow + r, *panel = wide + i;
            if (ranks == 1) {
                outer_tile(1, factors, panel, tokens, width, rank, columns, sums);
            } else if (columns == 16) {
                outer_tile(4, factors, panel, tokens, width, rank, 16, sums);
            } else {
                outer_tile(4, factors, panel, tokens, width, rank, columns, sums);
            }
            for (int64_t j = 0; j < ranks; j++) {
                const int64_t step = transposed ? rank : 1;
                float* out = gradient + (transposed ? i * rank + r + j : (r + j) * width + i);
                for (int64_t k = 0; k < columns; k++) out[k * step] += scale * sums[j][k];
            }
            r += ranks;
        }
    }
}
#endif
