/* Packing a checkpoint's matrix into R16K4, and reading rows of it (the embedding table).
 * Runs once a model, or on a few rows a call: plain code, one variant. */
#include "pack/pack.h"

#include "parallel/parallel.h"

size_t ck_packed_size(int32_t rows, int32_t cols, int32_t bits, int32_t group_size,
                      ck_dtype_t scale_dtype) {
    const ck_matrix_t w = {NULL, scale_dtype, rows, cols, bits, group_size};
    if (!ck_known_matrix(&w)) return 0;
    return (size_t)ck_block_count(rows) * ck_block_bytes(&w);
}

typedef struct {
    const ck_affine_t* source;
    ck_matrix_t w;
    uint8_t* out;
} pack_job_t;

/* The 8 nibbles of a checkpoint's word in the order of a chunk: byte j holds element j low and
 * element 4 + j high. */
static inline uint32_t interleave_nibbles(uint32_t word) {
    uint32_t low = word & 0xFFFF, high = word >> 16;
    low = (low | low << 8) & 0x00FF00FF;
    low = (low | low << 4) & 0x0F0F0F0F;
    high = (high | high << 8) & 0x00FF00FF;
    high = (high | high << 4) & 0x0F0F0F0F;
    return low | high << 4;
}

/* One group of one block: values, then scales, then biases; rows past the end become zeros. */
static void pack_group(const ck_affine_t* s, int32_t first_row, int32_t group, uint8_t* out) {
    const int32_t size = s->group_size, groups = s->cols / size;
    const size_t width = ck_dtype_bytes(s->scale_dtype);
    uint8_t* scales = out + ck_group_value_bytes(s->bits, size);
    uint8_t* biases = scales + CK_BLOCK_ROWS * width;
    memset(out, 0, ck_group_bytes(s->bits, size, s->scale_dtype));
    for (int32_t r = 0; r < CK_BLOCK_ROWS && first_row + r < s->rows; r++) {
        const size_t row = (size_t)(first_row + r);
        const uint8_t* packed =
            (const uint8_t*)s->words + (row * s->cols + (size_t)group * size) * s->bits / 8;
        /* A word is the part of a row that a chunk holds: 4 columns of 8 bits or 8 of 4. */
        const int32_t words = size * s->bits / 32;
        for (int32_t c = 0; c < words; c++) {
            uint32_t word;
            memcpy(&word, packed + 4 * c, 4);
            if (s->bits == 4) word = interleave_nibbles(word);
            memcpy(out + 64 * c + 4 * r, &word, 4);
        }
        const size_t at = (row * groups + group) * width;
        memcpy(scales + r * width, (const uint8_t*)s->scales + at, width);
        memcpy(biases + r * width, (const uint8_t*)s->biases + at, width);
    }
}

static void pack_blocks(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    const pack_job_t* job = context;
    const size_t block_bytes = ck_block_bytes(&job->w);
    const size_t group_bytes = ck_group_bytes(job->w.bits, job->w.group_size, job->w.scale_dtype);
    for (int64_t block = begin; block < end; block++) {
        for (int32_t g = 0; g < job->w.cols / job->w.group_size; g++) {
            pack_group(job->source, (int32_t)block * CK_BLOCK_ROWS, g,
                       job->out + block * block_bytes + g * group_bytes);
        }
    }
}

ck_status_t ck_pack_affine(const ck_affine_t* source, void* data) {
    const ck_matrix_t w = {data,         source->scale_dtype, source->rows,
                           source->cols, source->bits,        source->group_size};
    if (source->bits == 32 || !ck_known_format(w.bits, w.group_size, w.scale_dtype)) {
        return CK_BAD_FORMAT;
    }
    if (!ck_known_matrix(&w)) return CK_BAD_SHAPE;
    pack_job_t job = {source, w, data};
    ck_parallel(ck_block_count(w.rows), 1, pack_blocks, &job);
    return CK_OK;
}

ck_status_t ck_pack_dense(const void* source, ck_dtype_t dtype, int32_t rows, int32_t cols,
                          void* data) {
    if (rows < 0 || cols < 0) return CK_BAD_SHAPE;
    float* out = data;
    for (int32_t block = 0; block < ck_block_count(rows); block++) {
        for (int32_t k = 0; k < cols; k++) {
            for (int32_t r = 0; r < CK_BLOCK_ROWS; r++) {
                const size_t row = (size_t)block * CK_BLOCK_ROWS + r;
                *out++ = row < (size_t)rows ? ck_load(source, dtype, row * cols + k) : 0;
            }
        }
    }
    return CK_OK;
}

ck_status_t ck_embed_rows(const ck_matrix_t* w, const int32_t* ids, int32_t count, float* out) {
    if (count < 0) return CK_BAD_SHAPE;
    if (!ck_known_matrix(w)) return CK_BAD_FORMAT;
    const size_t block_bytes = ck_block_bytes(w);
    for (int32_t t = 0; t < count; t++) {
        if (ids[t] < 0 || ids[t] >= w->rows) return CK_BAD_INDEX;
        const uint8_t* block = (const uint8_t*)w->data + ids[t] / CK_BLOCK_ROWS * block_bytes;
        const int32_t r = ids[t] % CK_BLOCK_ROWS;
        float* row = out + (size_t)t * w->cols;
        if (w->bits == 32) {
            for (int32_t k = 0; k < w->cols; k++) row[k] = ((const float*)block)[16 * k + r];
            continue;
        }
        const size_t value_bytes = ck_group_value_bytes(w->bits, w->group_size);
        for (int32_t k = 0; k < w->cols; k += w->group_size) {
            const float scale = ck_load(block + value_bytes, w->scale_dtype, r);
            const float bias = ck_load(block + value_bytes, w->scale_dtype, CK_BLOCK_ROWS + r);
            for (int32_t j = 0; j < w->group_size; j++) {
                row[k + j] = scale * (float)ck_packed_value(block, w->bits, r, j) + bias;
            }
            block += ck_group_bytes(w->bits, w->group_size, w->scale_dtype);
        }
    }
    return CK_OK;
}
