/* Rows of x [tokens, kv_heads, head_dim] into a cache [kv_heads, capacity, head_dim], f32 or f16 (to nearest
 * even), for ISAs that convert halves by an instruction: a compiler turns the loop into full vectors.
 * Limit: memory bandwidth. */
#ifndef CK_CACHE_APPEND_LOOP_H
#define CK_CACHE_APPEND_LOOP_H

#include "dispatch/dispatch.h"

static inline void cache_append_loop(const ck_attention_shape_t* shape, const float* x,
                                     int64_t begin, int64_t end, ck_cache_t cache) {
    if (cache.dtype == CK_F32) {
        ck_cache_append_scalar(shape, x, begin, end, cache);
        return;
    }
    const int64_t width = shape->head_dim;
    for (int64_t item = begin; item < end; item++) {
        const int64_t t = item / shape->kv_heads, h = item % shape->kv_heads;
        const float* row = x + item * width;
        _Float16* out = (_Float16*)cache.data + (h * shape->capacity + shape->past + t) * width;
        for (int64_t i = 0; i < width; i++) out[i] = (_Float16)row[i];
    }
}

#endif
