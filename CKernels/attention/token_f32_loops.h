/* Attention of one token over an f32 cache.
 * s[h] = scale * q[h]·k; weighted[h] = Σ e^(s[h] - maximum) v for at most CHUNK keys and the heads
 * of a group.
 * Limit: cache bandwidth. Keys and values are read once for up to four heads of their group. */
#ifndef CK_TOKEN_F32_LOOPS_H
#define CK_TOKEN_F32_LOOPS_H

#include "attention/block_products.h"
#include "attention/softmax_loops.h"

/* scores[h][s] = q[h]·k[from + s] for keys from ..< to; beyond, up to a whole vector, those of the
 * last. */
CK_INLINE void token_scores_f32(int heads, const ck_attention_tile_t* a, const float* q,
                                int32_t from, int32_t to, float (*scores)[CHUNK]) {
    const int32_t dim = a->shape->head_dim;
    const float* keys = a->cache.keys;
    for (int32_t s = 0; s < ck_round_up(to - from, CK_LANES); s += 4) {
        vec_t sums[MOST_HEADS][4];
        int64_t key[4];
        for (int i = 0; i < 4; i++) {
            key[i] = ck_cache_row(a->shape, a->kv_head, from + s + i < to ? from + s + i : to - 1);
        }
#pragma clang loop unroll(full)
        for (int h = 0; h < heads; h++) {
            for (int i = 0; i < 4; i++) sums[h][i] = vec_of(0);
        }
        for (int32_t d = 0; d < dim; d += CK_LANES) {
#pragma clang loop unroll(full)
            for (int i = 0; i < 4; i++) {
                const vec_t k = vec_load(keys + key[i] + d);
#pragma clang loop unroll(full)
                for (int h = 0; h < heads; h++) {
                    sums[h][i] = vec_fma(vec_load(q + (int64_t)h * dim + d), k, sums[h][i]);
                }
            }
        }
#pragma clang loop unroll(full)
        for (int h = 0; h < heads; h++) {
            const quad_vec_t four = vec_sums4(sums[h]);
            memcpy(scores[h] + s, &four, sizeof four);
        }
    }
}

/* weighted[h][d ...] = Σ_s scores[h][s] * v[from + s][d ...] for a tile of `vectors` columns. */
CK_INLINE void token_values_f32(int heads, int vectors, const ck_attention_tile_t* a, int32_t d,
                                int32_t from, int32_t count, float (*scores)[CHUNK],
                                float* weighted) {
    vec_t sums[MOST_HEADS][REGISTER_VECTORS];
#pragma clang loop unroll(full)
    for (int h = 0; h < heads; h++) {
        for (int j = 0; j < vectors; j++) sums[h][j] = vec_of(0);
    }
    const float* values = a->cache.values;
    for (int32_t s = 0; s < count; s++) {
        const int64_t at = ck_cache_row(a->shape, a->kv_head, from + s) + d;
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) {
            const vec_t v = vec_load(values + at + CK_LANES * j);
#pragma clang loop unroll(full)
            for (int h = 0; h < heads; h++) {
                sums[h][j] = vec_fma(vec_of(scores[h][s]), v, sums[h][j]);
            }
        }
    }
#pragma clang loop unroll(full)
    for (int h = 0; h < heads; h++) {
        for (int j = 0; j < vectors; j++) {
            vec_store(weighted + (int64_t)h * a->shape->head_dim + d + CK_LANES * j, sums[h][j]);
        }
    }
}

/* Rows row ..< row + heads, all of one token, against keys from ..< to: at most CHUNK of them. */
CK_INLINE void attend_heads_f32(int heads, const ck_attention_tile_t* a, int32_t row, int32_t from,
                                int32_t to) {
    const int32_t dim = a->shape->head_dim, count = to - from;
    const int32_t padded = (int32_t)ck_round_up(count, CK_LANES);
    float scores[MOST_HEADS][CHUNK];
    token_scores_f32(heads, a, query_row(a, row), from, to, scores);
    for (int h = 0; h < heads; h++) {
        a->maximum[row + h] = highest(scores[h], padded, a->shape->scale, 0, count);
        a->sum[row + h] = exponentials(scores[h], padded, a->maximum[row + h]);
    }
    float* weighted = a->weighted + (int64_t)row * dim;
    int32_t d = 0;
    for (; d + REGISTER_COLUMNS <= dim; d += REGISTER_COLUMNS) {
        token_values_f32(heads, REGISTER_VECTORS, a, d, from, count, scores, weighted);
    }
    for (; d < dim; d += LEAST_COLUMNS) {
        token_values_f32(heads, LEAST_VECTORS, a, d, from, count, scores, weighted);
    }
}

static inline void attend_token_f32(const ck_attention_tile_t* a, int32_t rows) {
    int32_t from, to;
    ck_visible_keys(a->shape, a->token_begin, &from, &to);
    if (from < a->key_begin) from = a->key_begin;
    if (to > a->key_end) to = a->key_end;
    if (from >= to) return;
    for (int32_t r = 0; r < rows;) {
        const int32_t heads = next_heads(rows - r);
        if (MOST_HEADS == 4 && heads == 4) attend_heads_f32(4, a, r, from, to);
        if (heads == 3) attend_heads_f32(3, a, r, from, to);
        if (heads == 2) attend_heads_f32(2, a, r, from, to);
        if (heads == 1) attend_heads_f32(1, a, r, from, to);
        r += heads;
    }
}

#endif
