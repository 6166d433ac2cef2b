/* x [tokens, cols] to int8 digits, tiled: x ≈ scale0 * q0 + scale1 * q1 per token and group.
 * Limit: a run of tokens stays in L1 while its first digit, what that leaves and the second are
 * made. */
#include "quantize_int8/quantize_int8.h"

#include <string.h>

#include "activations/tiles.h"
#include "parallel/parallel.h"
#include "selection/table.h"

static size_t aligned(size_t bytes) { return (bytes + 63) / 64 * 64; }

static size_t value_bytes(int32_t tokens, int32_t cols, int32_t digits) {
    return aligned((size_t)digits * tokens * cols);
}

/* Of scales or of sums: one per group of at least 32. */
static size_t group_bytes(int32_t tokens, int32_t cols, int32_t digits) {
    return aligned((size_t)digits * tokens * ((size_t)(cols / 32) + 1) * sizeof(float));
}

/* What the first digit leaves of one run, for each thread. */
static size_t rest_bytes(int32_t tokens, int32_t cols) {
    const int32_t run = tokens < CK_TILE_WIDE_INT8 ? tokens : CK_TILE_WIDE_INT8;
    return aligned((size_t)run * cols * sizeof(float));
}

size_t ck_int8_bytes(int32_t tokens, int32_t cols, int32_t digits) {
    const size_t rest = digits == 2 ? (size_t)ck_threads() * rest_bytes(tokens, cols) : 0;
    return value_bytes(tokens, cols, digits) + 2 * group_bytes(tokens, cols, digits) + rest;
}

typedef struct {
    const float* x;
    int32_t tokens, cols, group_size, digits;
    ck_int8_digit_t digit[2];
    char* rest;
} round_job_t;

typedef int8_t bytes4_t __attribute__((vector_size(4)));
typedef float floats4_t __attribute__((vector_size(16)));

/* rest = x - scale * q for the tokens of one tile. Product and difference are rounded one by one,
 * so that every processor finds the same second digit. */
static void subtract(const float* x, int32_t width, int32_t cols, int32_t group_size,
                     const int8_t* q, const float* scale, float* rest) {
#pragma clang fp contract(off)
    for (int32_t t = 0; t < width; t++) {
        const int8_t* values = q + 4 * t;
        for (int32_t k = 0; k < cols; k += 4, values += 4 * width) {
            const float step = scale[(size_t)(k / group_size) * width + t];
            bytes4_t four;
            floats4_t v;
            memcpy(&four, values, sizeof four);
            memcpy(&v, x + (size_t)t * cols + k, sizeof v);
            v = v - step * __builtin_convertvector(four, floats4_t);
            memcpy(rest + (size_t)t * cols + k, &v, sizeof v);
        }
    }
}

/* Items are tokens; a run of CK_TILE_WIDE_INT8 of them is one tile, the last run may hold
 * several. */
static void round_run(void* context, int64_t begin, int64_t end, int32_t thread) {
    const round_job_t* job = context;
    const int32_t cols = job->cols, size = job->group_size, groups = cols / size;
    float* const rest = (float*)(job->rest + (size_t)thread * rest_bytes(job->tokens, cols));
    const ck_table_t* table = ck_table();
    for (int32_t t = (int32_t)begin; t < end;) {
        const int32_t left = (int32_t)end - t;
        const int32_t count = left < CK_TILE_WIDE_INT8 ? left : CK_TILE_WIDE_INT8;
        const float* x = job->x + (size_t)t * cols;
        ck_int8_digit_t digit[2];
        for (int d = 0; d < job->digits; d++) {
            digit[d] = (ck_int8_digit_t){job->digit[d].q + (size_t)t * cols,
                                         job->digit[d].scale + (size_t)t * groups,
                                         job->digit[d].sum + (size_t)t * groups};
        }
        table->quantize_int8(x, 0, count, count, cols, size, digit[0].q, digit[0].scale,
                             digit[0].sum);
        if (job->digits == 2) {
            for (int32_t i = 0; i < count;) {
                const int32_t width = ck_next_tile(count - i, CK_TILE_WIDE_INT8);
                const size_t at = (size_t)i * cols;
                subtract(x + at, width, cols, size, digit[0].q + at,
                         digit[0].scale + (size_t)i * groups, rest + at);
                i += width;
            }
            table->quantize_int8(rest, 0, count, count, cols, size, digit[1].q, digit[1].scale,
                                 digit[1].sum);
        }
        t += count;
    }
}

void ck_round_int8(const float* x, int32_t tokens, int32_t cols, int32_t group_size, int32_t digits,
                   ck_int8_digit_t digit[2], void* memory) {
    const size_t values = (size_t)tokens * cols, groups = (size_t)tokens * (cols / group_size);
    char* const scales = (char*)memory + value_bytes(tokens, cols, digits);
    char* const sums = scales + group_bytes(tokens, cols, digits);
    char* const rest = sums + group_bytes(tokens, cols, digits);
    for (int d = 0; d < digits; d++) {
        digit[d] = (ck_int8_digit_t){(int8_t*)memory + d * values, (float*)scales + d * groups,
                                     (float*)sums + d * groups};
    }
    round_job_t job = {x, tokens, cols, group_size, digits, {digit[0], digit[1]}, rest};
    ck_parallel(tokens, CK_TILE_WIDE_INT8, round_run, &job);
}
