/* Attention of one token over a cache of integers, keys and values times steps.
 *   s[h] = scale * q[h]·k = scale * step_q * Σ_g step_k[g] Σ_{i in g} q'[i] k'[i]
 *   weighted[h] = Σ e^(s - maximum) * step_v * v' = 1/f Σ w' v'
 * with q' of 16 bits, |q'| <= 46300, and w' = f * e^(s - maximum) * step_v.
 * Sums over 16 of a key's numbers, and over 64 keys, are exact in 32 bits: |q'| |k'| < 2^31; Σ w'
 * <= 65000 where v' has 16 bits, and w' <= 32767.
 * Limit: cache bandwidth. 16 keys lie side by side, so that there are no horizontal sums; what was
 * loaded is multiplied for up to four heads of a group. */
#ifndef CK_TOKEN_INTEGER_LOOPS_H
#define CK_TOKEN_INTEGER_LOOPS_H

#include "attention/block_products.h"
#include "attention/softmax_loops.h"
#include "math/pairs.h"

/* WEIGHT_BLOCK keys share a factor f. KEY_VECTORS vectors hold 16 keys; each has SCORE_CHAINS sums,
 * for one would wait for itself. AHEAD bytes are asked for ahead of use, further than processors
 * look by themselves (an eighth faster between the products of a model than 2048). */
enum {
    WEIGHT_BLOCK = 64,
    KEY_VECTORS = CK_SIDE_BY_SIDE / CK_LANES,
    SCORE_CHAINS = CK_LANES == 16 ? 2 : 1,
    AHEAD = 6144
};

/* CK_LANES pairs of a cache. */
CK_INLINE pairs_t load_pairs(ck_cache_format_t format, const char* p) {
    __builtin_prefetch(p + AHEAD);
    return pairs_of(format == CK_CACHE_INT16 ? pairs_load16((const int16_t*)p)
                                             : pairs_load8((const int8_t*)p));
}

/* Bytes of CK_LANES pairs. */
CK_INLINE int64_t pairs_bytes(ck_cache_format_t format) {
    return format == CK_CACHE_INT16 ? 4 * CK_LANES : 2 * CK_LANES;
}

/* out [dim] = q / step to nearest; the step. */
CK_INLINE float query_in_steps(const float* q, int32_t dim, int16_t* out) {
    vec_t squares = vec_of(0), largest = vec_of(0);
    for (int32_t i = 0; i < dim; i += CK_LANES) {
        const vec_t v = vec_load(q + i);
        squares = vec_fma(v, v, squares);
        largest = vec_max(vec_max(v, -v), largest);
    }
    const float length = sqrtf(vec_sum(squares)) / CK_LONGEST_ROW;
    const float height = vec_highest(largest) / 32767;
    const float step = length <= height ? height : length;
    const vec_t inverse = vec_of(ck_cache_inverse(step));
    for (int32_t i = 0; i < dim; i += CK_LANES) {
        const half_ivec_t n =
            __builtin_convertvector(vec_rounded(vec_load(q + i) * inverse), half_ivec_t);
        memcpy(out + i, &n, sizeof n);
    }
    return step;
}

/* scores[h][i] = scale * q[h]·k[from + i], i < count, and up to whole blocks of 16 anything. from
 * is a multiple of 16. */
CK_INLINE void integer_scores(int heads, ck_cache_format_t format, const ck_attention_tile_t* a,
                              int32_t row, int32_t from, int32_t count, float (*scores)[CHUNK]) {
    const ck_attention_shape_t* p = a->shape;
    const int32_t dim = p->head_dim;
    int16_t q[MOST_HEADS][CK_WIDEST_INTEGER_ROW];
    float factors[MOST_HEADS];
#pragma clang loop unroll(full)
    for (int h = 0; h < heads; h++) {
        factors[h] = p->scale * query_in_steps(query_row(a, row + h), dim, q[h]);
    }
    const int64_t bytes = pairs_bytes(format);
    const char* keys =
        (const char*)a->cache.keys + ck_integer_key(p, a->kv_head, from) * bytes / CK_LANES / 2;
    const float* steps = a->cache.key_steps + ck_key_step(p, a->kv_head, from);
    for (int32_t s = 0; s < count; s += CK_SIDE_BY_SIDE) {
        vec_t totals[MOST_HEADS][KEY_VECTORS];
#pragma clang loop unroll(full)
        for (int h = 0; h < heads; h++) {
            for (int j = 0; j < KEY_VECTORS; j++) totals[h][j] = vec_of(0);
        }
        for (int32_t group = 0; group < dim; group += CK_KEY_GROUP, steps += CK_SIDE_BY_SIDE) {
            ivec_t sums[MOST_HEADS][SCORE_CHAINS][KEY_VECTORS];
#pragma clang loop unroll(full)
            for (int h = 0; h < heads; h++) {
                for (int c = 0; c < SCORE_CHAINS; c++) {
                    for (int j = 0; j < KEY_VECTORS; j++) sums[h][c][j] = (ivec_t){0};
                }
            }
#pragma clang loop unroll(full)
            for (int32_t d = 0; d < CK_KEY_GROUP; d += 2) {
                const int c = d / 2 % SCORE_CHAINS;
                pairs_t k[KEY_VECTORS];
#pragma clang loop unroll(full)
                for (int j = 0; j < KEY_VECTORS; j++, keys += bytes) {
                    k[j] = load_pairs(format, keys);
                }
#pragma clang loop unroll(full)
                for (int h = 0; h < heads; h++) {
                    const pairs_t w = pairs_all(q[h] + group + d);
#pragma clang loop unroll(full)
                    for (int j = 0; j < KEY_VECTORS; j++) {
                        sums[h][c][j] = pairs_dot(sums[h][c][j], k[j], w);
                    }
                }
            }
#pragma clang loop unroll(full)
            for (int j = 0; j < KEY_VECTORS; j++) {
                const vec_t step = vec_load(steps + j * CK_LANES);
#pragma clang loop unroll(full)
                for (int h = 0; h < heads; h++) {
                    const ivec_t sum =
                        SCORE_CHAINS == 2 ? sums[h][0][j] + sums[h][1][j] : sums[h][0][j];
                    totals[h][j] = vec_fma(vec_from(sum), step, totals[h][j]);
                }
            }
        }
#pragma clang loop unroll(full)
        for (int h = 0; h < heads; h++) {
#pragma clang loop unroll(full)
            for (int j = 0; j < KEY_VECTORS; j++) {
                vec_store(scores[h] + s + j * CK_LANES, totals[h][j] * factors[h]);
            }
        }
    }
}

/* weights[i] = f * scores[i] * steps[i], i < count, and zeros up to `padded`, f one for each
 * WEIGHT_BLOCK such that sums stay in 32 bits; inverses[block] = 1/f. */
CK_INLINE void integer_weights(ck_cache_format_t format, float* scores, const float* steps,
                               int32_t count, int32_t padded, int16_t* weights, float* inverses) {
    for (int32_t s = 0; s < padded; s += WEIGHT_BLOCK) {
        const int32_t end = s + WEIGHT_BLOCK < padded ? s + WEIGHT_BLOCK : padded;
        vec_t sum = vec_of(0), most = vec_of(0);
        for (int32_t i = s; i < end; i += CK_LANES) {
            vec_t w = vec_load(scores + i) * vec_load(steps + i);
            w = vec_select(vec_lanes() + i < count, w, vec_of(0));
            vec_store(scores + i, w);
            sum += w;
            most = vec_max(w, most);
        }
        const float height = vec_highest(most) / 32767;
        const float mass = vec_sum(sum) / (format == CK_CACHE_INT16 ? 65000 : WEIGHT_BLOCK * 32767);
        /* NaN where the sum is: it is to be seen in the result */
        const float step = mass <= height ? height : mass;
        const vec_t inverse = vec_of(ck_cache_inverse(step));
        inverses[s / WEIGHT_BLOCK] = step;
        for (int32_t i = s; i < end; i += CK_LANES) {
            const half_ivec_t n =
                __builtin_convertvector(vec_rounded(vec_load(scores + i) * inverse), half_ivec_t);
            memcpy(weights + i, &n, sizeof n);
        }
    }
}

/* weighted[h][d ...] = Σ_s weights[h][s] * v[from + s][d ...], a tile of `vectors` columns. */
CK_INLINE void integer_values(int heads, int vectors, ck_cache_format_t format,
                              const ck_attention_tile_t* a, int32_t d, int32_t from, int32_t count,
                              int16_t (*weights)[CHUNK], float (*inverses)[CHUNK / WEIGHT_BLOCK],
                              float* weighted) {
    const int64_t bytes = pairs_bytes(format) / CK_LANES / 2;
    const int64_t next = 2 * ck_round_up(a->shape->head_dim, 2) * bytes;
    const char* values = (const char*)a->cache.values +
                         (ck_integer_value(a->shape, a->kv_head, from) + 2 * d) * bytes;
    vec_t totals[MOST_HEADS][REGISTER_VECTORS];
#pragma clang loop unroll(full)
    for (int h = 0; h < heads; h++) {
        for (int j = 0; j < vectors; j++) totals[h][j] = vec_of(0);
    }
    for (int32_t block = 0; block < count; block += WEIGHT_BLOCK) {
        const int32_t end = block + WEIGHT_BLOCK < count ? block + WEIGHT_BLOCK : count;
        ivec_t sums[MOST_HEADS][REGISTER_VECTORS];
#pragma clang loop unroll(full)
        for (int h = 0; h < heads; h++) {
            for (int j = 0; j < vectors; j++) sums[h][j] = (ivec_t){0};
        }
        for (int32_t s = block; s < end; s += 2, values += next) {
            pairs_t v[REGISTER_VECTORS];
#pragma clang loop unroll(full)
            for (int j = 0; j < vectors; j++) {
                v[j] = load_pairs(format, values + j * pairs_bytes(format));
            }
#pragma clang loop unroll(full)
            for (int h = 0; h < heads; h++) {
                const pairs_t w = pairs_all(weights[h] + s);
#pragma clang loop unroll(full)
                for (int j = 0; j < vectors; j++) sums[h][j] = pairs_dot(sums[h][j], v[j], w);
            }
        }
#pragma clang loop unroll(full)
        for (int h = 0; h < heads; h++) {
            const vec_t inverse = vec_of(inverses[h][block / WEIGHT_BLOCK]);
            for (int j = 0; j < vectors; j++) {
                totals[h][j] = vec_fma(vec_from(sums[h][j]), inverse, totals[h][j]);
            }
        }
    }
#pragma clang loop unroll(full)
    for (int h = 0; h < heads; h++) {
        for (int j = 0; j < vectors; j++) {
            vec_store(weighted + (int64_t)h * a->shape->head_dim + d + CK_LANES * j, totals[h][j]);
        }
    }
}

/* Rows row ..< row + heads, all of one token, against keys from ..< to: at most CHUNK from the
 * multiple of 16 at or below `from`. */
CK_INLINE void attend_heads_integer(int heads, ck_cache_format_t format,
                                    const ck_attention_tile_t* a, int32_t row, int32_t from,
                                    int32_t to) {
    const int32_t dim = a->shape->head_dim, base = from - from % CK_SIDE_BY_SIDE;
    const int32_t count = to - base;
    const int32_t padded = (int32_t)ck_round_up(count, CK_SIDE_BY_SIDE);
    float scores[MOST_HEADS][CHUNK], inverses[MOST_HEADS][CHUNK / WEIGHT_BLOCK];
    int16_t weights[MOST_HEADS][CHUNK];
    integer_scores(heads, format, a, row, base, count, scores);
    const float* steps = a->cache.value_steps + ck_value_step(a->shape, a->kv_head, base);
    for (int h = 0; h < heads; h++) {
        a->maximum[row + h] = highest(scores[h], padded, 1, from - base, count);
        a->sum[row + h] = exponentials(scores[h], padded, a->maximum[row + h]);
        integer_weights(format, scores[h], steps, count, padded, weights[h], inverses[h]);
    }
    float* weighted = a->weighted + (int64_t)row * dim;
    int32_t d = 0;
    for (; d + REGISTER_COLUMNS <= dim; d += REGISTER_COLUMNS) {
        integer_values(heads, REGISTER_VECTORS, format, a, d, base, count, weights, inverses,
                       weighted);
    }
    for (; d < dim; d += LEAST_COLUMNS) {
        integer_values(heads, LEAST_VECTORS, format, a, d, base, count, weights, inverses,
                       weighted);
    }
}

CK_INLINE void attend_token_integer(const ck_attention_tile_t* a, int32_t rows,
                                    ck_cache_format_t format) {
    int32_t from, to;
    ck_visible_keys(a->shape, a->token_begin, &from, &to);
    if (from < a->key_begin) from = a->key_begin;
    if (to > a->key_end) to = a->key_end;
    if (from >= to) return;
    for (int32_t r = 0; r < rows;) {
        const int32_t heads = next_heads(rows - r);
        if (MOST_HEADS == 4 && heads == 4) attend_heads_integer(4, format, a, r, from, to);
        if (heads == 3) attend_heads_integer(3, format, a, r, from, to);
        if (heads == 2) attend_heads_integer(2, format, a, r, from, to);
        if (heads == 1) attend_heads_integer(1, format, a, r, from, to);
        r += heads;
    }
}

#endif
