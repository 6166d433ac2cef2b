/* k, v [tokens, kv_heads, head_dim] f32 into an integer cache (ck_cache_t), written once for all
 * vector variants.
 * row[i] = x[i] / step to nearest even, step = max(max_i |x[i]| / most, |x| / 46300), x a value or
 * 16 numbers of a key, with the squares summed in the lanes and the order of the scalar variant, so
 * that the bits are the same.
 * Limit: latency; a token brings a few hundred numbers. Widths that are no multiple of 16 and f32
 * caches (copies) take the scalar variant. */
#ifndef CK_CACHE_APPEND_LOOP_H
#define CK_CACHE_APPEND_LOOP_H

#include <math.h>

#include "math/vector.h"
#include "selection/table.h"

enum { STEP_LANES = 16, STEP_VECTORS = STEP_LANES / CK_LANES };

CK_INLINE float row_step(const float* x, int64_t width, float most) {
    vec_t squares[STEP_VECTORS], largest = vec_of(0);
    for (int j = 0; j < STEP_VECTORS; j++) squares[j] = vec_of(0);
    for (int64_t i = 0; i < width; i += STEP_LANES) {
        for (int j = 0; j < STEP_VECTORS; j++) {
            const vec_t v = vec_load(x + i + CK_LANES * j);
            squares[j] += v * v;
            largest = vec_max(vec_max(v, -v), largest);
        }
    }
    float lanes[STEP_LANES];
    memcpy(lanes, squares, sizeof lanes);
    for (int n = STEP_LANES / 2; n > 0; n /= 2) {
        for (int i = 0; i < n; i++) lanes[i] += lanes[i + n];
    }
    const float length = sqrtf(lanes[0]) / CK_LONGEST_ROW, height = vec_highest(largest) / most;
    return length <= height ? height : length;
}

/* out[i] = x[i] / step, rounded. */
CK_INLINE void count_in_steps(const float* x, int64_t width, float step, int32_t* out) {
    const vec_t inverse = vec_of(ck_cache_inverse(step));
    for (int64_t i = 0; i < width; i += CK_LANES) {
        const ivec_t n = vec_rounded(vec_load(x + i) * inverse);
        memcpy(out + i, &n, sizeof n);
    }
}

static inline void cache_append_loop(const ck_attention_shape_t* shape, const float* k,
                                     const float* v, int64_t begin, int64_t end, ck_cache_t cache) {
    const int64_t width = shape->head_dim;
    if (cache.format == CK_CACHE_F32 || width % STEP_LANES) {
        ck_cache_append_scalar(shape, k, v, begin, end, cache);
        return;
    }
    const float most = ck_cache_most(cache.format);
    const int64_t pair = 2 * CK_SIDE_BY_SIDE; /* from two numbers of a key to its next two */
    int32_t row[CK_WIDEST_INTEGER_ROW];
    for (int64_t item = begin; item < end; item++) {
        const int64_t h = item / shape->tokens, t = item % shape->tokens, s = shape->past + t;
        const int64_t from = (t * shape->kv_heads + h) * width;
        const int64_t key = ck_integer_key(shape, h, s), value = ck_integer_value(shape, h, s);
        float* steps = cache.key_steps + ck_key_step(shape, h, s);
        for (int64_t i = 0; i < width; i += CK_KEY_GROUP, steps += CK_SIDE_BY_SIDE) {
            *steps = row_step(k + from + i, CK_KEY_GROUP, most);
            count_in_steps(k + from + i, CK_KEY_GROUP, *steps, row + i);
        }
        if (cache.format == CK_CACHE_INT16) {
            int16_t* out = (int16_t*)cache.keys + key;
            for (int64_t i = 0; i < width; i += 2) {
                out[i / 2 * pair] = (int16_t)row[i];
                out[i / 2 * pair + 1] = (int16_t)row[i + 1];
            }
        } else {
            int8_t* out = (int8_t*)cache.keys + key;
            for (int64_t i = 0; i < width; i += 2) {
                out[i / 2 * pair] = (int8_t)row[i];
                out[i / 2 * pair + 1] = (int8_t)row[i + 1];
            }
        }
        const float value_step = row_step(v + from, width, most);
        cache.value_steps[ck_value_step(shape, h, s)] = value_step;
        count_in_steps(v + from, width, value_step, row);
        if (cache.format == CK_CACHE_INT16) {
            int16_t* out = (int16_t*)cache.values + value;
            for (int64_t i = 0; i < width; i++) out[2 * i] = (int16_t)row[i];
        } else {
            int8_t* out = (int8_t*)cache.values + value;
            for (int64_t i = 0; i < width; i++) out[2 * i] = (int8_t)row[i];
        }
    }
}

#endif
