/* k, v [tokens, kv_heads, head_dim] f32; cache as ck_cache_t has it.
 * F32: row = x. Integers: row[i] = x[i] / step, rounded to nearest even, with
 * step = max(max_i |x[i]| / most, |x| / 46300), x a value or 16 numbers of a key. The squares are
 * summed in 16 lanes, which are then halved again and again, as vector variants do: every variant
 * writes the same bits. */
#include <math.h>
#include <string.h>

#include "selection/table.h"

enum { LANES = 16 };

static float step_of(const float* x, int64_t width, float most) {
    float squares[LANES] = {0}, largest = 0;
    for (int64_t i = 0; i < width; i++) {
        const float magnitude = fabsf(x[i]);
        largest = magnitude > largest ? magnitude : largest;
        squares[i % LANES] += x[i] * x[i];
    }
    for (int n = LANES / 2; n > 0; n /= 2) {
        for (int i = 0; i < n; i++) squares[i] += squares[i + n];
    }
    const float length = sqrtf(squares[0]) / CK_LONGEST_ROW, height = largest / most;
    return length <= height ? height : length; /* NaN where the length is */
}

/* x to the nearest integer, ties to even; meaningless beyond 2^22. */
static int32_t rounded(float x) {
    const float shifted = x + 12582912;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    return (int32_t)(bits - 0x4b400000);
}

static void put(ck_cache_format_t format, void* data, int64_t at, int32_t number) {
    if (format == CK_CACHE_INT16) ((int16_t*)data)[at] = (int16_t)number;
    if (format == CK_CACHE_INT8) ((int8_t*)data)[at] = (int8_t)number;
}

static void append_key(const ck_attention_shape_t* shape, const float* x, int64_t h, int64_t s,
                       ck_cache_t cache) {
    const int64_t width = shape->head_dim, at = ck_integer_key(shape, h, s);
    float* steps = cache.key_steps + ck_key_step(shape, h, s);
    for (int64_t from = 0; from < width; from += CK_KEY_GROUP, steps += CK_SIDE_BY_SIDE) {
        const int64_t count = from + CK_KEY_GROUP < width ? CK_KEY_GROUP : width - from;
        const float step = step_of(x + from, count, ck_cache_most(cache.format));
        const float inverse = ck_cache_inverse(step);
        for (int64_t i = from; i < from + count; i++) {
            put(cache.format, cache.keys, at + ck_key_number(i), rounded(x[i] * inverse));
        }
        *steps = step;
    }
    if (width % 2) put(cache.format, cache.keys, at + ck_key_number(width), 0);
}

static void append_value(const ck_attention_shape_t* shape, const float* x, int64_t h, int64_t s,
                         ck_cache_t cache) {
    const int64_t width = shape->head_dim, at = ck_integer_value(shape, h, s);
    const float step = step_of(x, width, ck_cache_most(cache.format));
    const float inverse = ck_cache_inverse(step);
    for (int64_t i = 0; i < width; i++) {
        put(cache.format, cache.values, at + 2 * i, rounded(x[i] * inverse));
    }
    if (width % 2) put(cache.format, cache.values, at + 2 * width, 0);
    cache.value_steps[ck_value_step(shape, h, s)] = step;
}

void ck_cache_append_scalar(const ck_attention_shape_t* shape, const float* k, const float* v,
                            int64_t begin, int64_t end, ck_cache_t cache) {
    const int64_t width = shape->head_dim;
    for (int64_t item = begin; item < end; item++) {
        const int64_t h = item / shape->tokens, t = item % shape->tokens, s = shape->past + t;
        const float* key = k + (t * shape->kv_heads + h) * width;
        const float* value = v + (t * shape->kv_heads + h) * width;
        if (cache.format == CK_CACHE_F32) {
            const int64_t at = ck_cache_row(shape, h, s);
            memcpy((float*)cache.keys + at, key, (size_t)width * sizeof *key);
            memcpy((float*)cache.values + at, value, (size_t)width * sizeof *value);
            continue;
        }
        append_key(shape, key, h, s, cache);
        append_value(shape, value, h, s, cache);
    }
}
