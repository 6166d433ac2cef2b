#include "matmul/activations.h"

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

static void tile_f32(const float* x, int32_t width, int32_t cols, float* out) {
    for (int32_t t = 0; t < width; t++) {
        const float* row = x + (size_t)t * cols;
        for (int32_t k = 0; k < cols; k++) out[(size_t)k * width + t] = row[k];
    }
}

static void tile_bf16(const float* x, int32_t width, int32_t cols, uint16_t* out) {
    for (int32_t t = 0; t < width; t++) {
        const float* row = x + (size_t)t * cols;
        for (int32_t k = 0; k < cols; k++) {
            out[((size_t)(k / 2) * width + t) * 2 + k % 2] = ck_to_bf16(row[k]);
        }
        if (cols % 2) out[((size_t)(cols / 2) * width + t) * 2 + 1] = 0;
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
