/* q [tokens, heads, head_dim]; the cache as ck_cache_t has it.
 * s = scale * q·k; maximum = max s; sum = Σ exp(s - maximum); weighted = Σ exp(s - maximum) v,
 * key by key with a running maximum: whenever it rises, what was summed so far is scaled down. */
#include <math.h>
#include <string.h>

#include "attention/attention.h"
#include "selection/table.h"

static float number(ck_cache_format_t format, const void* data, int64_t at) {
    return format == CK_CACHE_INT16 ? ((const int16_t*)data)[at] : ((const int8_t*)data)[at];
}

/* Number i of key, or value, s. */
static float key(const ck_attention_tile_t* a, int32_t s, int64_t i) {
    const ck_cache_t* c = &a->cache;
    if (c->format == CK_CACHE_F32) {
        return ((const float*)c->keys)[ck_cache_row(a->shape, a->kv_head, s) + i];
    }
    const int64_t at = ck_integer_key(a->shape, a->kv_head, s) + ck_key_number(i);
    return number(c->format, c->keys, at) *
           c->key_steps[ck_key_step(a->shape, a->kv_head, s) + i / CK_KEY_GROUP * CK_SIDE_BY_SIDE];
}
static float value(const ck_attention_tile_t* a, int32_t s, int64_t i) {
    const ck_cache_t* c = &a->cache;
    if (c->format == CK_CACHE_F32) {
        return ((const float*)c->values)[ck_cache_row(a->shape, a->kv_head, s) + i];
    }
    const int64_t at = ck_integer_value(a->shape, a->kv_head, s) + 2 * i;
    return number(c->format, c->values, at) *
           c->value_steps[ck_value_step(a->shape, a->kv_head, s)];
}

void ck_attention_scalar(const ck_attention_tile_t* tile) {
    const ck_attention_shape_t* shape = tile->shape;
    const int64_t width = shape->head_dim, group = shape->heads / shape->kv_heads;
    const int64_t rows = (tile->token_end - tile->token_begin) * group;
    for (int64_t row = 0; row < rows; row++) {
        const int64_t t = tile->token_begin + row / group;
        const float* q = tile->q + (t * shape->heads + tile->kv_head * group + row % group) * width;
        float* weighted = tile->weighted + row * width;
        memset(weighted, 0, (size_t)width * sizeof *weighted);
        float maximum = -INFINITY;
        double sum = 0;
        int32_t first, end;
        ck_visible_keys(shape, (int32_t)t, &first, &end);
        if (first < tile->key_begin) first = tile->key_begin;
        if (end > tile->key_end) end = tile->key_end;
        for (int32_t s = first; s < end; s++) {
            double dot = 0;
            for (int64_t i = 0; i < width; i++) dot += (double)q[i] * key(tile, s, i);
            const float score = (float)(shape->scale * dot);
            if (score > maximum) {
                const float factor = expf(maximum - score);
                for (int64_t i = 0; i < width; i++) weighted[i] *= factor;
                sum *= factor;
                maximum = score;
            }
            const float p = expf(score - maximum);
            sum += p;
            for (int64_t i = 0; i < width; i++) weighted[i] += p * value(tile, s, i);
        }
        tile->maximum[row] = maximum;
        tile->sum[row] = (float)sum;
    }
}
