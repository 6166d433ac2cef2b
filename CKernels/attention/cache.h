/* Where a key or value stands in a cache: the layouts of ck_cache_t (CKernels.h) as offsets. */
#ifndef CK_ATTENTION_CACHE_H
#define CK_ATTENTION_CACHE_H

#include "CKernels.h"

/* Keys that lie side by side in an integer cache. */
enum { CK_SIDE_BY_SIDE = 16 };

/* The longest row, in its own steps, that INT16 and queries may have: 46300² and the roundings of
 * up to 1024 numbers stay below 2^31. */
#define CK_LONGEST_ROW 46300.0f
enum { CK_WIDEST_INTEGER_ROW = 1024 };

static inline int64_t ck_round_up(int64_t n, int64_t multiple) {
    return (n + multiple - 1) / multiple * multiple;
}

/* Bytes of one number; 0 where the format is unknown. */
static inline int64_t ck_cache_number_bytes(ck_cache_format_t format) {
    switch (format) {
        case CK_CACHE_F32:
            return 4;
        case CK_CACHE_INT16:
            return 2;
        case CK_CACHE_INT8:
            return 1;
    }
    return 0;
}

/* The largest integer of a format. */
static inline float ck_cache_most(ck_cache_format_t format) {
    return format == CK_CACHE_INT16 ? 32767 : 127;
}

/* What numbers are multiplied by to be counted in steps; 0 for steps so small (or not finite) that
 * it would not be finite itself. */
static inline float ck_cache_inverse(float step) {
    return step >= 1e-35f && step <= 3e38f ? 1 / step : 0;
}

/* Numbers of one head. */
static inline int64_t ck_cache_head_size(ck_cache_format_t format, int64_t capacity,
                                         int64_t head_dim) {
    const int64_t width = format == CK_CACHE_F32 ? head_dim : ck_round_up(head_dim, 2);
    return ck_round_up(capacity, CK_SIDE_BY_SIDE) * width;
}

/* Where the numbers of row s of a head begin, F32. */
static inline int64_t ck_cache_row(const ck_attention_shape_t* shape, int64_t kv_head, int64_t s) {
    return ck_cache_head_size(CK_CACHE_F32, shape->capacity, shape->head_dim) * kv_head +
           s * shape->head_dim;
}

/* Where number 0 of key s of a head is, integers; number i is ck_key_number(i) further on. */
static inline int64_t ck_integer_key(const ck_attention_shape_t* shape, int64_t kv_head,
                                     int64_t s) {
    return ck_cache_head_size(CK_CACHE_INT16, shape->capacity, shape->head_dim) * kv_head +
           s / CK_SIDE_BY_SIDE * CK_SIDE_BY_SIDE * ck_round_up(shape->head_dim, 2) +
           s % CK_SIDE_BY_SIDE * 2;
}
static inline int64_t ck_key_number(int64_t i) { return i / 2 * 2 * CK_SIDE_BY_SIDE + i % 2; }

/* Where number 0 of value s of a head is, integers; number i is 2 * i further on. */
static inline int64_t ck_integer_value(const ck_attention_shape_t* shape, int64_t kv_head,
                                       int64_t s) {
    return ck_cache_head_size(CK_CACHE_INT16, shape->capacity, shape->head_dim) * kv_head +
           s / 2 * 2 * ck_round_up(shape->head_dim, 2) + s % 2;
}

/* Numbers of a key that share a step. */
enum { CK_KEY_GROUP = 16 };

/* Steps of a key. */
static inline int64_t ck_key_groups(int64_t head_dim) {
    return (head_dim + CK_KEY_GROUP - 1) / CK_KEY_GROUP;
}

/* Where the first step of key s of a head is; the next one is CK_SIDE_BY_SIDE further on. */
static inline int64_t ck_key_step(const ck_attention_shape_t* shape, int64_t kv_head, int64_t s) {
    return (ck_round_up(shape->capacity, CK_SIDE_BY_SIDE) * kv_head +
            s / CK_SIDE_BY_SIDE * CK_SIDE_BY_SIDE) *
               ck_key_groups(shape->head_dim) +
           s % CK_SIDE_BY_SIDE;
}

/* Where the step of value s of a head is. */
static inline int64_t ck_value_step(const ck_attention_shape_t* shape, int64_t kv_head, int64_t s) {
    return ck_round_up(shape->capacity, CK_SIDE_BY_SIDE) * kv_head + s;
}

#endif
