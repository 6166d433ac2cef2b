/* The packed layout R16K4, as arithmetic: where things lie in a block of 16 rows (see
 * ck_matrix_t). */
#ifndef CK_PACK_H
#define CK_PACK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "CKernels.h"

enum { CK_BLOCK_ROWS = 16 };

static inline int32_t ck_block_count(int32_t rows) {
    return (rows + CK_BLOCK_ROWS - 1) / CK_BLOCK_ROWS;
}

static inline size_t ck_dtype_bytes(ck_dtype_t dtype) { return dtype == CK_F32 ? 4 : 2; }

/* Bytes of quantised values in one group of one block; the scales follow. */
static inline size_t ck_group_value_bytes(int32_t bits, int32_t group_size) {
    return (size_t)CK_BLOCK_ROWS * group_size * bits / 8;
}

/* Bytes of one group of one block: values, 16 scales, 16 biases. */
static inline size_t ck_group_bytes(int32_t bits, int32_t group_size, ck_dtype_t scale_dtype) {
    return ck_group_value_bytes(bits, group_size) + 2 * CK_BLOCK_ROWS * ck_dtype_bytes(scale_dtype);
}

/* Bytes of one block of 16 rows. */
static inline size_t ck_block_bytes(const ck_matrix_t* w) {
    if (w->bits == 32) return (size_t)w->cols * CK_BLOCK_ROWS * sizeof(float);
    return (size_t)(w->cols / w->group_size) *
           ck_group_bytes(w->bits, w->group_size, w->scale_dtype);
}

static inline bool ck_known_format(int32_t bits, int32_t group_size, ck_dtype_t dtype) {
    if (bits == 32) return group_size == 0 && dtype == CK_F32;
    return (bits == 4 || bits == 8) &&
           (group_size == 32 || group_size == 64 || group_size == 128) && dtype <= CK_BF16;
}

static inline bool ck_known_matrix(const ck_matrix_t* w) {
    return w->rows >= 0 && w->cols >= 0 &&
           ck_known_format(w->bits, w->group_size, w->scale_dtype) &&
           (w->bits == 32 || w->cols % w->group_size == 0);
}

static inline float ck_from_bf16(uint16_t half) {
    const uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* To nearest, ties to even; NaN stays NaN. */
static inline uint16_t ck_to_bf16(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint32_t rounded = bits + 0x7fff + ((bits >> 16) & 1);
    const bool is_nan = (bits & 0x7fffffffu) > 0x7f800000u;
    return (uint16_t)((is_nan ? bits | 0x400000 : rounded) >> 16);
}

/* IEEE binary16 to binary32, exactly, in integer arithmetic. */
static inline float ck_from_f16(uint16_t half) {
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    const uint32_t exponent = (half >> 10) & 0x1f, mantissa = half & 0x3ff;
    float value;
    if (exponent == 0) {
        value = (float)mantissa * 0x1p-24f;
        return sign ? -value : value;
    }
    const uint32_t bits =
        sign | (exponent == 31 ? 0x7f800000u : (exponent + 112) << 23) | (mantissa << 13);
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Element `index` of an array of `dtype`. */
static inline float ck_load(const void* array, ck_dtype_t dtype, size_t index) {
    if (dtype == CK_F32) {
        float value;
        memcpy(&value, (const char*)array + 4 * index, 4);
        return value;
    }
    uint16_t half;
    memcpy(&half, (const char*)array + 2 * index, 2);
    return dtype == CK_F16 ? ck_from_f16(half) : ck_from_bf16(half);
}

/* The quantised value of row `r` (< 16), column `k` (< group_size) of a group that begins at
 * `values`. */
static inline uint32_t ck_packed_value(const uint8_t* values, int32_t bits, int32_t r, int32_t k) {
    if (bits == 8) return values[64 * (k / 4) + 4 * r + k % 4];
    const uint8_t byte = values[64 * (k / 8) + 4 * r + k % 4];
    return k % 8 < 4 ? byte & 15 : byte >> 4;
}

#endif
