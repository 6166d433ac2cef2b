/* out[t, h] = Σ_s softmax_s(scale * q[t, h]·k[s]) v[s], online over blocks of 64 keys; written once for all
 * vector variants.
 * q, out [tokens, heads, head_dim]; caches [kv_heads, capacity, head_dim] f32 or f16.
 * Many queries (prefill, training): FMA throughput. A block of keys is widened and transposed once for
 * all queries of a tile and all heads of a group, then both products are register tiles of 6 rows.
 * One token (decode): cache bandwidth. Keys and values are read, and widened, once for up to four heads of
 * their group. Heads that are no multiple of 16 wide take the scalar variant. */
#ifndef CK_ATTENTION_LOOPS_H
#define CK_ATTENTION_LOOPS_H

#include <math.h>

#include "attention/block_products.h"
#include "dispatch/dispatch.h"

/* Keys that a lone token takes at a time, and heads: their dot products with four keys fill registers. */
enum { CHUNK = 256, MOST_HEADS = CK_LANES == 8 ? 2 : 4 };

/* Rows of a cache that are asked for ahead of use: two kilobytes of SmolLM2's, further than processors look
 * ahead by themselves (20% where the cache comes from memory; 8 to 32 measure alike). */
enum { ROWS_AHEAD = 16 };

CK_INLINE vec_t load_cache(ck_cache_t c, int64_t at) {
    return c.dtype == CK_F32 ? vec_load((const float*)c.data + at)
                             : vec_load_half((const uint16_t*)c.data + at);
}

/* Where key s of the tile's KV head begins in a cache. */
CK_INLINE int64_t cache_at(const ck_attention_tile_t* a, int32_t s) {
    return ((int64_t)a->kv_head * a->shape->capacity + s) * a->shape->head_dim;
}

/* Asks for `count` numbers ROWS_AHEAD rows after `at`; beyond the end it is a hint about nothing. */
CK_INLINE void prefetch(const ck_attention_tile_t* a, ck_cache_t c, int64_t at, int32_t count) {
    const int64_t size = c.dtype == CK_F32 ? 4 : 2;
    const char* ahead = (const char*)c.data + (at + ROWS_AHEAD * a->shape->head_dim) * size;
    for (int64_t i = 0; i < count * size; i += 64) __builtin_prefetch(ahead + i);
}

static inline const float* query_row(const ck_attention_tile_t* a, int32_t row) {
    const int32_t group = a->shape->heads / a->shape->kv_heads;
    const int32_t t = a->token_begin + row / group, h = a->kv_head * group + row % group;
    return a->q + ((int64_t)t * a->shape->heads + h) * a->shape->head_dim;
}

/* scores[0 ..< count] times scale, and -Inf but for from ..< to; the largest of them. count is a multiple
 * of CK_LANES. */
static inline float highest(float* scores, int32_t count, float scale, int32_t from, int32_t to) {
    vec_t high = vec_of(-INFINITY);
    for (int32_t i = 0; i < count; i += CK_LANES) {
        const ivec_t at = vec_lanes() + i;
        vec_t v = vec_load(scores + i) * scale;
        v = vec_select((at >= from) & (at < to), v, vec_of(-INFINITY));
        vec_store(scores + i, v);
        high = vec_max(v, high);
    }
    return vec_highest(high);
}

/* Turns scores into e^(s - maximum); their sum. Both are 0 where the maximum is -Inf: nothing was seen. */
static inline float exponentials(float* scores, int32_t count, float maximum) {
    const float shift = maximum == -INFINITY ? 0 : maximum;
    vec_t sum = vec_of(0);
    for (int32_t i = 0; i < count; i += CK_LANES) {
        const vec_t e = vec_exp(vec_load(scores + i) - shift);
        vec_store(scores + i, e);
        sum += e;
    }
    return vec_sum(sum);
}

/* ---- Many queries -------------------------------------------------------------------------- */

/* Rows s ..< s + count of a cache as f32 [64][head_dim]. */
static inline void widen(const ck_attention_tile_t* a, ck_cache_t cache, int32_t s, int32_t count,
                         float* out) {
    const int64_t at = cache_at(a, s), size = (int64_t)count * a->shape->head_dim;
    for (int64_t i = 0; i < size; i += CK_LANES) vec_store(out + i, load_cache(cache, at + i));
}

static inline void attend_blocks(const ck_attention_tile_t* a) {
    const ck_attention_shape_t* p = a->shape;
    const int32_t dim = p->head_dim, group = p->heads / p->kv_heads;
    const int32_t rows = (a->token_end - a->token_begin) * group;
    float* keys = a->scratch;
    float* values = keys + (int64_t)CK_KEY_BLOCK * dim;
    float* scores = values + (int64_t)CK_KEY_BLOCK * dim;
    for (int32_t s = a->key_begin; s < a->key_end; s += CK_KEY_BLOCK) {
        const int32_t left = a->key_end - s, count = left < CK_KEY_BLOCK ? left : CK_KEY_BLOCK;
        widen(a, a->keys, s, count, values);
        transpose_block(values, dim, count, dim, keys);
        widen(a, a->values, s, count, values);
        for (int32_t r = 0; r < rows; r += 48) {
            const float *q[48], *weights[48];
            const int32_t here = rows - r < 48 ? rows - r : 48;
            for (int32_t i = 0; i < here; i++) {
                q[i] = query_row(a, r + i);
                weights[i] = scores + (int64_t)(r + i) * CK_KEY_BLOCK;
            }
            product(here, q, 1, keys, CK_KEY_BLOCK, dim, scores + (int64_t)r * CK_KEY_BLOCK,
                    CK_KEY_BLOCK, CK_KEY_BLOCK, false);
            for (int32_t i = r; i < r + here; i++) {
                float *row = scores + (int64_t)i * CK_KEY_BLOCK,
                      *sum = a->weighted + (int64_t)i * dim;
                int32_t from, to;
                ck_visible_keys(p, a->token_begin + i / group, &from, &to);
                if (to > a->key_end) to = a->key_end;
                const float most = a->maximum[i];
                const float high = highest(row, CK_KEY_BLOCK, p->scale, from - s, to - s);
                const float maximum = high > most ? high : most;
                const float factor = maximum == most ? 1 : expf(most - maximum);
                a->maximum[i] = maximum;
                a->sum[i] = a->sum[i] * factor + exponentials(row, CK_KEY_BLOCK, maximum);
                for (int32_t d = 0; factor != 1 && d < dim; d += CK_LANES) {
                    vec_store(sum + d, vec_load(sum + d) * factor);
                }
            }
            product(here, weights, 1, values, dim, count, a->weighted + (int64_t)r * dim, dim, dim,
                    true);
        }
    }
}

/* ---- One token ----------------------------------------------------------------------------- */

/* scores[h][s] = q[h]·k[from + s] for keys from ..< to; beyond, up to a whole vector, those of the last. */
CK_INLINE void token_scores(int heads, const ck_attention_tile_t* a, const float* q, int32_t from,
                            int32_t to, float (*scores)[CHUNK]) {
    const int32_t dim = a->shape->head_dim;
    for (int32_t s = 0; s < ck_round_up(to - from, CK_LANES); s += 4) {
        vec_t sums[MOST_HEADS < 3 ? 3 : MOST_HEADS][4];
        int64_t key[4];
        for (int i = 0; i < 4; i++) {
            key[i] = cache_at(a, from + s + i < to ? from + s + i : to - 1);
            prefetch(a, a->keys, key[i], dim);
        }
#pragma clang loop unroll(full)
        for (int h = 0; h < heads; h++) {
            for (int i = 0; i < 4; i++) sums[h][i] = vec_of(0);
        }
        for (int32_t d = 0; d < dim; d += CK_LANES) {
#pragma clang loop unroll(full)
            for (int i = 0; i < 4; i++) {
                const vec_t k = load_cache(a->keys, key[i] + d);
#pragma clang loop unroll(full)
                for (int h = 0; h < heads; h++) {
                    sums[h][i] = vec_fma(vec_load(q + (int64_t)h * dim + d), k, sums[h][i]);
                }
            }
        }
#pragma clang loop unroll(full)
        for (int h = 0; h < heads; h++) {
            const quad_t four = vec_sums4(sums[h]);
            memcpy(scores[h] + s, &four, sizeof four);
        }
    }
}

/* weighted[h][d ...] = Σ_s scores[h][s] * v[from + s][d ...] for a tile of `vectors` columns. */
CK_INLINE void token_values(int heads, int vectors, const ck_attention_tile_t* a, int32_t d,
                            int32_t from, int32_t count, float (*scores)[CHUNK], float* weighted) {
    vec_t sums[MOST_HEADS < 3 ? 3 : MOST_HEADS][TILE_VECTORS];
#pragma clang loop unroll(full)
    for (int h = 0; h < heads; h++) {
        for (int j = 0; j < vectors; j++) sums[h][j] = vec_of(0);
    }
    for (int32_t s = 0; s < count; s++) {
        const int64_t at = cache_at(a, from + s) + d;
        prefetch(a, a->values, at, CK_LANES * vectors);
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) {
            const vec_t v = load_cache(a->values, at + CK_LANES * j);
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
CK_INLINE void attend_heads(int heads, const ck_attention_tile_t* a, int32_t row, int32_t from,
                            int32_t to) {
    const int32_t dim = a->shape->head_dim, count = to - from;
    const int32_t padded = (int32_t)ck_round_up(count, CK_LANES);
    float scores[MOST_HEADS < 3 ? 3 : MOST_HEADS][CHUNK];
    token_scores(heads, a, query_row(a, row), from, to, scores);
    for (int h = 0; h < heads; h++) {
        a->maximum[row + h] = highest(scores[h], padded, a->shape->scale, 0, count);
        a->sum[row + h] = exponentials(scores[h], padded, a->maximum[row + h]);
    }
    float* weighted = a->weighted + (int64_t)row * dim;
    int32_t d = 0;
    for (; d + TILE_COLUMNS <= dim; d += TILE_COLUMNS) {
        token_values(heads, TILE_VECTORS, a, d, from, count, scores, weighted);
    }
    for (; d < dim; d += LEAST_COLUMNS) {
        token_values(heads, LEAST_VECTORS, a, d, from, count, scores, weighted);
    }
}

static inline void attend_token(const ck_attention_tile_t* a, int32_t rows) {
    int32_t from, to;
    ck_visible_keys(a->shape, a->token_begin, &from, &to);
    if (from < a->key_begin) from = a->key_begin;
    if (to > a->key_end) to = a->key_end;
    if (from >= to) return;
    for (int32_t r = 0; r < rows;) {
        const int32_t left = rows - r, heads = left == 3           ? 3
                                               : left < MOST_HEADS ? left
                                                                   : MOST_HEADS;
        if (heads == 4) attend_heads(4, a, r, from, to);
        if (heads == 3) attend_heads(3, a, r, from, to);
        if (heads == 2) attend_heads(2, a, r, from, to);
        if (heads == 1) attend_heads(1, a, r, from, to);
        r += heads;
    }
}

static inline void attention_loop(const ck_attention_tile_t* a) {
    const ck_attention_shape_t* p = a->shape;
    if (p->head_dim % LEAST_COLUMNS) {
        ck_attention_scalar(a);
        return;
    }
    const int32_t group = p->heads / p->kv_heads, rows = (a->token_end - a->token_begin) * group;
    for (int32_t r = 0; r < rows; r++) {
        a->maximum[r] = -INFINITY;
        a->sum[r] = 0;
    }
    memset(a->weighted, 0, sizeof(float) * rows * p->head_dim);
    if (rows > group || a->key_end - a->key_begin > CHUNK) {
        attend_blocks(a);
    } else {
        attend_token(a, rows);
    }
}

#endif
