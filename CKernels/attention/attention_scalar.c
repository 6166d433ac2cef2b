/* q [tokens, heads, head_dim]; caches [kv_heads, capacity, head_dim], f32 or f16.
 * s = scale * q·k; maximum = max s; sum = Σ exp(s - maximum); weighted = Σ exp(s - maximum) v,
 * key by key with a running maximum: whenever it rises, what was summed so far is scaled down. */
#include <math.h>
#include <string.h>

#include "attention/attention.h"
#include "dispatch/dispatch.h"
#include "pack/pack.h"

static float cached(ck_cache_t cache, int64_t index) {
    if (cache.dtype == CK_F32) return ((const float*)cache.data)[index];
    return ck_from_f16(((const uint16_t*)cache.data)[index]);
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
            const int64_t at = ((int64_t)tile->kv_head * shape->capacity + s) * width;
            double dot = 0;
            for (int64_t i = 0; i < width; i++) dot += (double)q[i] * cached(tile->keys, at + i);
            const float score = (float)(shape->scale * dot);
            if (score > maximum) {
                const float factor = expf(maximum - score);
                for (int64_t i = 0; i < width; i++) weighted[i] *= factor;
                sum *= factor;
                maximum = score;
            }
            const float p = expf(score - maximum);
            sum += p;
            for (int64_t i = 0; i < width; i++) weighted[i] += p * cached(tile->values, at + i);
        }
        tile->maximum[row] = maximum;
        tile->sum[row] = (float)sum;
    }
}
