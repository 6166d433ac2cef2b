/* out[t, h] = Σ_s softmax_s(scale * q[t, h]·k[s]) v[s], online over blocks of 64 keys; written once
 * for all vector variants.
 * q, out [tokens, heads, head_dim]; the cache as ck_cache_t has it.
 * Many queries (prefill, training): FMA throughput. A block of keys is widened and transposed once
 * for all queries of a tile and all heads of a group, then both products are register tiles of 6
 * rows. One token (decode): cache bandwidth; see token_f32_loops.h and token_integer_loops.h. Heads
 * that are no multiple of 16 wide take the scalar variant. */
#ifndef CK_ATTENTION_LOOPS_H
#define CK_ATTENTION_LOOPS_H

#include <math.h>

#include "attention/token_f32_loops.h"
#include "attention/token_integer_loops.h"
#include "selection/table.h"

/* CK_LANES pairs at number `at` of an integer cache. */
CK_INLINE ivec_t cached_pairs(ck_cache_format_t format, const void* numbers, int64_t at) {
    return format == CK_CACHE_INT16 ? pairs_load16((const int16_t*)numbers + at)
                                    : pairs_load8((const int8_t*)numbers + at);
}

/* Keys s ..< s + count, transposed: out [head_dim][64] f32. s is a multiple of 16; columns past
 * `count` may be anything. */
static inline void widen_keys(const ck_attention_tile_t* a, int32_t s, int32_t count, float* out) {
    const ck_attention_shape_t* p = a->shape;
    const int32_t dim = p->head_dim;
    if (a->cache.format == CK_CACHE_F32) {
        const float* rows = (const float*)a->cache.keys + ck_cache_row(p, a->kv_head, s);
        transpose_block(rows, dim, count, dim, out);
        return;
    }
    for (int32_t k = 0; k < count; k += CK_SIDE_BY_SIDE) {
        const float* steps = a->cache.key_steps + ck_key_step(p, a->kv_head, s + k);
        const int64_t key = ck_integer_key(p, a->kv_head, s + k);
        for (int32_t i = 0; i < CK_SIDE_BY_SIDE; i += CK_LANES) {
            for (int32_t d = 0; d < dim; d += 2) {
                const vec_t step = vec_load(steps + d / CK_KEY_GROUP * CK_SIDE_BY_SIDE + i);
                const ivec_t pairs =
                    cached_pairs(a->cache.format, a->cache.keys, key + ck_key_number(d) + 2 * i);
                float* to = out + (int64_t)d * CK_KEY_BLOCK + k + i;
                vec_store(to, vec_from(pairs_first(pairs)) * step);
                vec_store(to + CK_KEY_BLOCK, vec_from(pairs_second(pairs)) * step);
            }
        }
    }
}

/* Values s ..< s + count as f32 [count][head_dim]: where they lie, or widened into out (one more
 * where count is odd). s is a multiple of 16. */
static inline const float* widen_values(const ck_attention_tile_t* a, int32_t s, int32_t count,
                                        float* out) {
    const ck_attention_shape_t* p = a->shape;
    const int32_t dim = p->head_dim;
    if (a->cache.format == CK_CACHE_F32) {
        return (const float*)a->cache.values + ck_cache_row(p, a->kv_head, s);
    }
    const float* steps = a->cache.value_steps + ck_value_step(p, a->kv_head, s);
    for (int32_t k = 0; k < count; k += 2) {
        const int64_t value = ck_integer_value(p, a->kv_head, s + k);
        float* to = out + (int64_t)k * dim;
        for (int32_t d = 0; d < dim; d += CK_LANES) {
            const ivec_t pairs = cached_pairs(a->cache.format, a->cache.values, value + 2 * d);
            vec_store(to + d, vec_from(pairs_first(pairs)) * steps[k]);
            vec_store(to + dim + d, vec_from(pairs_second(pairs)) * steps[k + 1]);
        }
    }
    return out;
}

static inline void attend_blocks(const ck_attention_tile_t* a) {
    const ck_attention_shape_t* p = a->shape;
    const int32_t dim = p->head_dim, group = p->heads / p->kv_heads;
    const int32_t rows = (a->token_end - a->token_begin) * group;
    float* keys = a->scratch;
    float* widened = keys + (int64_t)CK_KEY_BLOCK * dim;
    float* scores = widened + (int64_t)CK_KEY_BLOCK * dim;
    for (int32_t s = a->key_begin - a->key_begin % CK_SIDE_BY_SIDE; s < a->key_end;
         s += CK_KEY_BLOCK) {
        const int32_t left = a->key_end - s, count = left < CK_KEY_BLOCK ? left : CK_KEY_BLOCK;
        widen_keys(a, s, count, keys);
        const float* values = widen_values(a, s, count, widened);
        for (int32_t r = 0; r < rows; r += CK_QUERY_ROWS) {
            const float *q[CK_QUERY_ROWS], *weights[CK_QUERY_ROWS];
            const int32_t here = rows - r < CK_QUERY_ROWS ? rows - r : CK_QUERY_ROWS;
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
    const int32_t from = a->key_begin - a->key_begin % CK_SIDE_BY_SIDE;
    if (rows > group || a->key_end - from > CHUNK) {
        attend_blocks(a);
    } else if (a->cache.format == CK_CACHE_F32) {
        attend_token_f32(a, rows);
    } else if (a->cache.format == CK_CACHE_INT16) {
        attend_token_integer(a, rows, CK_CACHE_INT16);
    } else {
        attend_token_integer(a, rows, CK_CACHE_INT8);
    }
}

#endif
