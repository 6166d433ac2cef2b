/* y[t, o] = Σ_k x[t, k] * w[o, k], w[o, k] = scale * q + bias per group.
 * The specification of all variants: one output after the other, activations read from their tiles.
 *   f32, bf16  weights dequantised (bf16: rounded), products summed in f32 in column order
 *   int8       per group: scale * xs * Σ q xq + bias * xs * Σ xq, xq, xs from quantize_int8 */
#include "matmul/matmul.h"
#include "pack/pack.h"
#include "selection/table.h"

/* Row r of block b, column k. */
static float weight(const ck_matrix_t* w, int64_t b, int32_t r, int32_t k) {
    const uint8_t* block = (const uint8_t*)w->data + b * ck_block_bytes(w);
    if (w->bits == 32) return ((const float*)block)[16 * (size_t)k + r];
    const uint8_t* group =
        block + k / w->group_size * ck_group_bytes(w->bits, w->group_size, w->scale_dtype);
    const uint8_t* scales = group + ck_group_value_bytes(w->bits, w->group_size);
    const float q = (float)ck_packed_value(group, w->bits, r, k % w->group_size);
    return ck_load(scales, w->scale_dtype, r) * q + ck_load(scales, w->scale_dtype, 16 + r);
}

static void store(const ck_matmul_args_t* a, int32_t t, int64_t row, float value) {
    float* y = a->y + (size_t)t * a->stride + row;
    *y = a->accumulate ? *y + value : value;
}

void ck_matmul_f32_scalar(const ck_matmul_args_t* a, int64_t begin, int64_t end, void* scratch) {
    (void)scratch;
    const ck_matrix_t* w = a->w;
    for (int64_t row = begin * 16; row < end * 16 && row < w->rows; row++) {
        for (int32_t t = 0; t < a->tokens; t++) {
            int32_t width;
            const int32_t tile = ck_tile_of(t, a->tokens, CK_TILE_WIDE, &width);
            const float* x = (const float*)a->x + (size_t)tile * w->cols + (t - tile);
            float sum = 0;
            for (int32_t k = 0; k < w->cols; k++) {
                sum += x[(size_t)k * width] * weight(w, row / 16, (int32_t)(row % 16), k);
            }
            store(a, t, row, sum);
        }
    }
}

void ck_matmul_int8_scalar(const ck_matmul_args_t* a, int64_t begin, int64_t end, void* scratch) {
    (void)scratch;
    const ck_matrix_t* w = a->w;
    const int32_t size = w->group_size, groups = w->cols / size;
    for (int64_t row = begin * 16; row < end * 16 && row < w->rows; row++) {
        const int32_t r = (int32_t)(row % 16);
        for (int32_t t = 0; t < a->tokens; t++) {
            int32_t width;
            const int32_t tile = ck_tile_of(t, a->tokens, CK_TILE_WIDE_INT8, &width);
            const int8_t* q = (const int8_t*)a->x + (size_t)tile * w->cols;
            const uint8_t* group = (const uint8_t*)w->data + row / 16 * ck_block_bytes(w);
            float total = 0;
            for (int32_t g = 0; g < groups; g++) {
                int32_t dot = 0;
                for (int32_t k = 0; k < size; k++) {
                    const int32_t column = g * size + k;
                    dot += (int32_t)ck_packed_value(group, w->bits, r, k) *
                           q[((size_t)(column / 4) * width + (t - tile)) * 4 + column % 4];
                }
                const uint8_t* scales = group + ck_group_value_bytes(w->bits, size);
                const size_t at = (size_t)tile * groups + (size_t)g * width + (t - tile);
                total += ck_load(scales, w->scale_dtype, r) * a->scale[at] * (float)dot;
                total += ck_load(scales, w->scale_dtype, 16 + r) * a->sum[at];
                group += ck_group_bytes(w->bits, size, w->scale_dtype);
            }
            store(a, t, row, total);
        }
    }
}

void ck_matmul_transposed_f32_scalar(const ck_matmul_args_t* a, int64_t begin, int64_t end,
                                     void* scratch) {
    (void)scratch;
    const ck_matrix_t* w = a->w;
    for (int64_t column = begin * 16; column < end * 16 && column < w->cols; column++) {
        for (int32_t t = 0; t < a->tokens; t++) {
            int32_t width;
            const int32_t tile = ck_tile_of(t, a->tokens, CK_TILE_WIDE, &width);
            const float* dy = (const float*)a->x + (size_t)tile * w->rows + (t - tile);
            float sum = 0;
            for (int32_t o = 0; o < w->rows; o++) {
                sum += dy[(size_t)o * width] * weight(w, o / 16, o % 16, (int32_t)column);
            }
            store(a, t, column, sum);
        }
    }
}
