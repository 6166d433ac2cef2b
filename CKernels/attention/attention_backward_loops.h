/* With p = e^(scale q·k - log_sum) and ds = scale p (dout·v - D), D = dout·out: dq = Σ_s ds k[s]
 * over the keys that a query sees; dk[s] = Σ_t ds q[t], dv[s] = Σ_t p dout[t] over the queries that
 * see a key; written once for all vector variants.
 * q, out, dout, dq [tokens, heads, head_dim]; k, v [tokens, kv_heads, head_dim]; dk, dv [tokens,
 * head_dim].
 * Limit: FMA throughput. Blocks of 64 queries × 64 keys: two products give scores and dout·v, one
 * pass turns them into p and ds, three more add up the gradients. Blocks that no query sees are
 * left out. Heads that are no multiple of 16 wide take the scalar variant. */
#ifndef CK_ATTENTION_BACKWARD_LOOPS_H
#define CK_ATTENTION_BACKWARD_LOOPS_H

#include "attention/block_products.h"
#include "selection/table.h"

/* Turns scores q·k into p, and products dout·v into ds, for keys from ..< to of the block; 0
 * elsewhere. */
static inline void soften_row(float* scores, float* products, float scale, float log_sum,
                              float delta, int32_t from, int32_t to) {
    for (int32_t i = 0; i < CK_KEY_BLOCK; i += CK_LANES) {
        const ivec_t at = vec_lanes() + i, seen = (at >= from) & (at < to);
        const vec_t e = vec_exp(vec_fma(vec_load(scores + i), vec_of(scale), vec_of(-log_sum)));
        const vec_t p = (vec_t)(seen & (ivec_t)e);
        const vec_t ds = p * scale * (vec_load(products + i) - delta);
        vec_store(scores + i, p);
        vec_store(products + i, (vec_t)(seen & (ivec_t)ds));
    }
}

static inline float dot(const float* a, const float* b, int32_t count) {
    vec_t sum = vec_of(0);
    for (int32_t i = 0; i < count; i += CK_LANES) {
        sum = vec_fma(vec_load(a + i), vec_load(b + i), sum);
    }
    return vec_sum(sum);
}

/* Where the parts of the scratch begin. */
typedef struct {
    float *keys, *values;     /* [head_dim][64]: a block, transposed */
    float *scores, *products; /* [64 queries][64 keys] */
    float* deltas;            /* [tokens]: D */
} backward_scratch_t;

static inline backward_scratch_t backward_scratch(const ck_attention_head_t* a) {
    const int64_t block = (int64_t)CK_KEY_BLOCK * a->shape->head_dim;
    const int64_t square = CK_QUERY_BLOCK * CK_KEY_BLOCK;
    float* p = a->scratch;
    return (backward_scratch_t){p, p + block, p + 2 * block, p + 2 * block + square,
                                p + 2 * block + 2 * square};
}

/* Whether some query of t ..< end sees a key of s ..< s + 64. */
static inline bool overlaps(const ck_attention_shape_t* p, int32_t t, int32_t end, int32_t s) {
    for (; t < end; t++) {
        int32_t from, to;
        ck_visible_keys(p, t, &from, &to);
        if (from < to && from < s + CK_KEY_BLOCK && to > s) return true;
    }
    return false;
}

/* Adds what queries t ..< t + queries and keys s ..< s + keys give each other. */
static inline void backward_block(const ck_attention_head_t* a, backward_scratch_t b, int32_t t,
                                  int32_t queries, int32_t s, int32_t keys) {
    const ck_attention_shape_t* p = a->shape;
    const int32_t dim = p->head_dim, kv = a->head / (p->heads / p->kv_heads);
    const int64_t q_stride = (int64_t)p->heads * dim, k_stride = (int64_t)p->kv_heads * dim;
    const int64_t first = t * q_stride + (int64_t)a->head * dim;
    const float *q[CK_QUERY_BLOCK], *dout[CK_QUERY_BLOCK], *ds[CK_QUERY_BLOCK];
    for (int32_t i = 0; i < queries; i++) {
        q[i] = a->q + first + i * q_stride;
        dout[i] = a->dout + first + i * q_stride;
        ds[i] = b.products + (int64_t)i * CK_KEY_BLOCK;
    }
    product(queries, q, 1, b.keys, CK_KEY_BLOCK, dim, b.scores, CK_KEY_BLOCK, CK_KEY_BLOCK, false);
    product(queries, dout, 1, b.values, CK_KEY_BLOCK, dim, b.products, CK_KEY_BLOCK, CK_KEY_BLOCK,
            false);
    for (int32_t i = 0; i < queries; i++) {
        int32_t from, to;
        ck_visible_keys(p, t + i, &from, &to);
        const int64_t row = (int64_t)(t + i) * p->heads + a->head;
        soften_row(b.scores + (int64_t)i * CK_KEY_BLOCK, b.products + (int64_t)i * CK_KEY_BLOCK,
                   p->scale, a->log_sum[row], b.deltas[t + i], from - s, to - s);
    }
    product(queries, ds, 1, a->k + s * k_stride + (int64_t)kv * dim, k_stride, keys, a->dq + first,
            q_stride, dim, true);
    /* the same squares by columns: row j is key s + j, a step is one query */
    const float *column_p[CK_KEY_BLOCK], *column_ds[CK_KEY_BLOCK];
    for (int32_t j = 0; j < keys; j++) {
        column_p[j] = b.scores + j;
        column_ds[j] = b.products + j;
    }
    product(keys, column_p, CK_KEY_BLOCK, dout[0], q_stride, queries, a->dv + (int64_t)s * dim, dim,
            dim, true);
    product(keys, column_ds, CK_KEY_BLOCK, q[0], q_stride, queries, a->dk + (int64_t)s * dim, dim,
            dim, true);
}

static inline void attention_backward_loop(const ck_attention_head_t* a) {
    const ck_attention_shape_t* p = a->shape;
    const int32_t dim = p->head_dim, tokens = p->tokens, kv = a->head / (p->heads / p->kv_heads);
    if (dim % LEAST_COLUMNS) {
        ck_attention_backward_scalar(a);
        return;
    }
    const backward_scratch_t b = backward_scratch(a);
    memset(a->dk, 0, sizeof(float) * tokens * dim);
    memset(a->dv, 0, sizeof(float) * tokens * dim);
    for (int32_t t = 0; t < tokens; t++) {
        const int64_t row = ((int64_t)t * p->heads + a->head) * dim;
        memset(a->dq + row, 0, sizeof(float) * dim);
        b.deltas[t] = dot(a->dout + row, a->out + row, dim);
    }
    const int64_t stride = (int64_t)p->kv_heads * dim;
    for (int32_t s = 0; s < tokens; s += CK_KEY_BLOCK) {
        const int32_t keys = tokens - s < CK_KEY_BLOCK ? tokens - s : CK_KEY_BLOCK;
        const int64_t at = s * stride + (int64_t)kv * dim;
        transpose_block(a->k + at, stride, keys, dim, b.keys);
        transpose_block(a->v + at, stride, keys, dim, b.values);
        for (int32_t t = 0; t < tokens; t += CK_QUERY_BLOCK) {
            const int32_t queries = tokens - t < CK_QUERY_BLOCK ? tokens - t : CK_QUERY_BLOCK;
            if (overlaps(p, t, t + queries, s)) backward_block(a, b, t, queries, s, keys);
        }
    }
}

#endif
