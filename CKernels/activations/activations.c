#include "activations/activations.h"

#include <string.h>

#include "activations/tiles.h"
#include "pack/pack.h"
#include "parallel/parallel.h"

size_t ck_tiled_bytes(ck_precision_t precision, int32_t tokens, int32_t cols) {
    const size_t padded =
        precision == CK_PRECISION_BF16 ? ((size_t)cols + 1) / 2 * 2 : (size_t)cols;
    const size_t bytes = tokens * padded * (precision == CK_PRECISION_BF16 ? 2 : 4);
    return (bytes + 63) / 64 * 64;
}

typedef struct {
    ck_precision_t precision;
    const float* x;
    int32_t tokens, cols;
    void* tiles;
} tile_job_t;

typedef float four_t __attribute__((vector_size(16)));

/* out[k, t] = x[t, k] for `width` rows (4, 8, … or 1) and `count` columns, by squares of 4 × 4. Any
 * 32-bit numbers. */
static void transpose(const float* x, size_t stride, int32_t width, int32_t count, float* out) {
    if (width == 1) {
        memcpy(out, x, sizeof(float) * count);
        return;
    }
    for (int32_t k = 0; k + 4 <= count; k += 4) {
        for (int32_t t = 0; t < width; t += 4) {
            four_t row[4];
            for (int i = 0; i < 4; i++) memcpy(&row[i], x + (t + i) * stride + k, sizeof row[i]);
            const four_t a = __builtin_shufflevector(row[0], row[1], 0, 4, 1, 5);
            const four_t b = __builtin_shufflevector(row[2], row[3], 0, 4, 1, 5);
            const four_t c = __builtin_shufflevector(row[0], row[1], 2, 6, 3, 7);
            const four_t d = __builtin_shufflevector(row[2], row[3], 2, 6, 3, 7);
            const four_t columns[4] = {__builtin_shufflevector(a, b, 0, 1, 4, 5),
                                       __builtin_shufflevector(a, b, 2, 3, 6, 7),
                                       __builtin_shufflevector(c, d, 0, 1, 4, 5),
                                       __builtin_shufflevector(c, d, 2, 3, 6, 7)};
            for (int i = 0; i < 4; i++) {
                memcpy(out + (size_t)(k + i) * width + t, &columns[i], sizeof columns[i]);
            }
        }
    }
    for (int32_t k = count / 4 * 4; k < count; k++) {
        for (int32_t t = 0; t < width; t++)
            memcpy(out + (size_t)k * width + t, x + t * stride + k, 4);
    }
}

/* Columns laid out at a time: what is written to stays in L1. */
enum { COLUMNS = 64 };

static void tile_f32(const float* x, int32_t width, int32_t cols, float* out) {
    for (int32_t k = 0; k < cols; k += COLUMNS) {
        const int32_t count = cols - k < COLUMNS ? cols - k : COLUMNS;
        transpose(x + k, cols, width, count, out + (size_t)k * width);
    }
}

static void tile_bf16(const float* x, int32_t width, int32_t cols, uint16_t* out) {
    for (int32_t k = 0; k < cols; k += COLUMNS) {
        const int32_t count = cols - k < COLUMNS ? cols - k : COLUMNS;
        float pairs[CK_TILE_WIDE * COLUMNS / 2]; /* two bf16 each */
        for (int32_t t = 0; t < width; t++) {
            uint16_t row[COLUMNS] = {0};
            for (int32_t i = 0; i < count; i++) row[i] = ck_to_bf16(x[(size_t)t * cols + k + i]);
            memcpy(pairs + t * COLUMNS / 2, row, sizeof row);
        }
        transpose(pairs, COLUMNS / 2, width, (count + 1) / 2,
                  (float*)out + (size_t)(k / 2) * width);
    }
}

/* Items are runs of CK_TILE_WIDE tokens: the last run may hold several narrow tiles. */
static void tile_run(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    const tile_job_t* job = context;
    const int32_t cols = job->cols;
    for (int32_t t = (int32_t)begin; t < end;) {
        const int32_t width = ck_next_tile((int32_t)end - t, CK_TILE_WIDE);
        const float* rows = job->x + (size_t)t * cols;
        if (job->precision == CK_PRECISION_BF16) {
            tile_bf16(rows, width, cols, (uint16_t*)job->tiles + (size_t)t * ((cols + 1) / 2 * 2));
        } else {
            tile_f32(rows, width, cols, (float*)job->tiles + (size_t)t * cols);
        }
        t += width;
    }
}

void ck_tile_activations(ck_precision_t precision, const float* x, int32_t tokens, int32_t cols,
                         void* tiles) {
    tile_job_t job = {precision, x, tokens, cols, tiles};
    ck_parallel(tokens, CK_TILE_WIDE, tile_run, &job);
}
