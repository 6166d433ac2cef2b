/* What a variant of the attention kernels is given. */
#ifndef CK_ATTENTION_H
#define CK_ATTENTION_H

#include "CKernels.h"
#include "attention/cache.h"

/* Items begin ..< end of ck_cache_append, item h * tokens + t being the key and the value of one
 * head. */
typedef void ck_cache_append_fn(const ck_attention_shape_t* shape, const float* k, const float* v,
                                int64_t begin, int64_t end, ck_cache_t cache);

/* Keys are taken in blocks of this many: the partition of every sum. */
enum { CK_KEY_BLOCK = 64 };
/* Query rows of a tile of many tokens at most, unless one token has more heads in a group. */
enum { CK_QUERY_ROWS = 48 };

/* Queries token_begin ..< token_end of the heads that share kv_head, against keys
 * key_begin ..< key_end. Row r stands for token token_begin + r / group and head
 * kv_head * group + r % group, group = heads / kv_heads. */
typedef struct ck_attention_tile {
    const ck_attention_shape_t* shape;
    const float* q; /* [tokens, heads, head_dim] */
    ck_cache_t cache;
    int32_t kv_head, token_begin, token_end, key_begin, key_end;
    float* scratch; /* ck_attention_scratch(shape, rows) floats, 64-byte aligned */
    /* Results, for s over the keys that a row sees (maximum -inf and zeros where it sees none):
     * maximum [rows] = max_s scale * q·k[s]; sum [rows] = Σ_s exp(scale * q·k[s] - maximum);
     * weighted [rows, head_dim] = Σ_s exp(scale * q·k[s] - maximum) v[s]. */
    float *maximum, *sum, *weighted;
} ck_attention_tile_t;

typedef void ck_attention_fn(const ck_attention_tile_t* tile);

/* Floats of scratch for a tile: a block of keys and one of values, the rows' queries and their
 * scores, with rows padded to whole vectors. */
static inline int64_t ck_attention_scratch(const ck_attention_shape_t* shape, int64_t rows) {
    const int64_t width = ck_round_up(shape->head_dim, 16);
    return 2 * CK_KEY_BLOCK * width + ck_round_up(rows, 16) * (2 * width + CK_KEY_BLOCK + 32);
}

/* The keys *first ..< *end that token t sees. */
static inline void ck_visible_keys(const ck_attention_shape_t* shape, int32_t t, int32_t* first,
                                   int32_t* end) {
    *first = shape->first_key ? shape->first_key[t] : 0;
    *end = shape->end_key ? shape->end_key[t] : shape->past + t + 1;
}

/* The gradients of one query head. All matrices of this head alone are [tokens, head_dim]. */
typedef struct ck_attention_head {
    const ck_attention_shape_t* shape;
    const float *q, *k, *v, *out, *log_sum, *dout; /* as ck_attention_backward has them */
    int32_t head;
    float* scratch; /* ck_attention_backward_scratch(shape) floats, 64-byte aligned */
    float* dq;      /* [tokens, heads, head_dim]: this head's rows are overwritten */
    float *dk, *dv; /* [tokens, head_dim] each, overwritten: this head's share */
} ck_attention_head_t;

typedef void ck_attention_backward_fn(const ck_attention_head_t* head);

/* Queries that a backward variant takes at a time. */
enum { CK_QUERY_BLOCK = 64 };

/* Floats of scratch for a head: four blocks [64, head_dim], two [64, 64], and two numbers a
 * token. */
static inline int64_t ck_attention_backward_scratch(const ck_attention_shape_t* shape) {
    const int64_t width = ck_round_up(shape->head_dim, 16);
    return 6 * CK_KEY_BLOCK * width + 2 * CK_KEY_BLOCK * CK_QUERY_BLOCK +
           2 * ck_round_up(shape->tokens, 16);
}

#endif
