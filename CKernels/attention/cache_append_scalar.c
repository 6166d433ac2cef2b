/* x [tokens, kv_heads, head_dim] f32; cache [kv_heads, capacity, head_dim] f32 or f16.
 * cache[h, past + t, :] = x[t, h, :], rounded to nearest even where the cache is f16. */
#include <string.h>

#include "dispatch/dispatch.h"
#include "math/half.h"

void ck_cache_append_scalar(const ck_attention_shape_t* shape, const float* x, int64_t begin,
                            int64_t end, ck_cache_t cache) {
    const int64_t width = shape->head_dim;
    for (int64_t item = begin; item < end; item++) {
        const int64_t t = item / shape->kv_heads, h = item % shape->kv_heads;
        const float* row = x + item * width;
        const int64_t at = (h * shape->capacity + shape->past + t) * width;
        if (cache.dtype == CK_F32) {
            memcpy((float*)cache.data + at, row, (size_t)width * sizeof *row);
        } else {
            uint16_t* out = (uint16_t*)cache.data + at;
            for (int64_t i = 0; i < width; i++) out[i] = ck_to_f16(row[i]);
        }
    }
}
