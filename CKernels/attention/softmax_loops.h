/* The softmax of a tile of attention: scores to e^(s - maximum), in vectors; included by
 * attention's loops. */
#ifndef CK_ATTENTION_SOFTMAX_LOOPS_H
#define CK_ATTENTION_SOFTMAX_LOOPS_H

#include <math.h>

#include "attention/attention.h"
#include "math/vector.h"

/* Keys that a lone token takes at a time, and heads: their dot products with four keys fill
 * registers. */
enum { CHUNK = 1024, MOST_HEADS = CK_LANES == 8 ? 3 : 4 };

/* How many of `left` heads are taken next. Three are, also by AVX2 with its 16 registers: 9 query
 * heads in three groups and 24 in eight are common. */
static inline int32_t next_heads(int32_t left) {
    const int32_t most = CK_LANES == 8 ? 2 : 4;
    return left == 3 ? 3 : left < most ? left : most;
}

static inline const float* query_row(const ck_attention_tile_t* a, int32_t row) {
    const int32_t group = a->shape->heads / a->shape->kv_heads;
    const int32_t t = a->token_begin + row / group, h = a->kv_head * group + row % group;
    return a->q + ((int64_t)t * a->shape->heads + h) * a->shape->head_dim;
}

/* scores[0 ..< count] times scale, and -Inf but for from ..< to; the largest of them. count is a
 * multiple of CK_LANES. */
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

/* Turns scores into e^(s - maximum); their sum. Both are 0 where the maximum is -Inf: nothing was
 * seen. */
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

#endif
