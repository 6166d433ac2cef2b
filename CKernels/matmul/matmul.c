/* y_m = x W_mᵀ: validation, activations, and one pass of the threads over the row blocks of all
 * matrices. */
#include "matmul/matmul.h"

#include "dispatch/dispatch.h"
#include "matmul/activations.h"
#include "pack/pack.h"
#include "parallel/parallel.h"

enum { MOST_MATRICES = 16 };

static size_t aligned(size_t bytes) { return (bytes + 63) / 64 * 64; }

/* Room for one dequantised panel, f32 or bytes, of 16 rows. */
static size_t panel_bytes(int32_t cols) {
    const size_t f32_panel = (size_t)(cols < CK_PANEL_COLS ? cols : CK_PANEL_COLS) * 64 + 64;
    /* int8: every value as a byte, and two f32 per group of 32 or more */
    const size_t int8_panel = (size_t)cols * 16 + (size_t)(cols / 32 + 1) * 128;
    return aligned(f32_panel > int8_panel ? f32_panel : int8_panel);
}

/* The int8 part: values, then scale and sum per group of at least 32. */
static size_t int8_bytes(int32_t tokens, int32_t cols) {
    const size_t groups = (size_t)(cols / 32) + 1;
    return aligned((size_t)tokens * cols) + 2 * aligned(tokens * groups * sizeof(float));
}

size_t ck_matmul_workspace(ck_precision_t precision, int32_t tokens, int32_t rows, int32_t cols) {
    (void)rows;
    if (tokens <= 0 || cols <= 0) return 64;
    /* bits 32 weights take the f32 path whatever the precision, so there is room for it too */
    size_t bytes = ck_tiled_bytes(CK_PRECISION_EXACT, tokens, cols);
    if (precision == CK_PRECISION_INT8) bytes += int8_bytes(tokens, cols);
    return bytes + (size_t)ck_threads() * panel_bytes(cols);
}

typedef struct {
    ck_matmul_args_t args[MOST_MATRICES];
    ck_matmul_fn* function[MOST_MATRICES];
    int32_t count;
    char* scratch;
    size_t scratch_bytes;
} matmul_job_t;

static void matmul_blocks(void* context, int64_t begin, int64_t end, int32_t thread) {
    const matmul_job_t* job = context;
    int64_t first = 0;
    for (int32_t m = 0; m < job->count && first < end; m++) {
        const int64_t last = first + ck_block_count(job->args[m].w->rows);
        const int64_t from = begin > first ? begin : first, to = end < last ? end : last;
        if (from < to) {
            job->function[m](&job->args[m], from - first, to - first,
                             job->scratch + (size_t)thread * job->scratch_bytes);
        }
        first = last;
    }
}

typedef struct {
    const float* x;
    int32_t tokens, cols, group_size;
    int8_t* q;
    float *scale, *sum;
} quantize_job_t;

static void quantize_run(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    const quantize_job_t* job = context;
    ck_table()->quantize_int8(job->x, (int32_t)begin, (int32_t)end, job->tokens, job->cols,
                              job->group_size, job->q, job->scale, job->sum);
}

ck_status_t ck_matmul(ck_precision_t precision, const float* x, int32_t tokens,
                      const ck_matrix_t* const* weights, float* const* outputs, int32_t count,
                      bool accumulate, void* workspace, size_t workspace_bytes) {
    if (tokens < 0 || count < 0 || count > MOST_MATRICES) return CK_BAD_SHAPE;
    if (tokens == 0 || count == 0) return CK_OK;
    const int32_t cols = weights[0]->cols;
    int32_t rows = 0;
    bool any_f32 = precision != CK_PRECISION_INT8, any_int8 = false;
    int32_t group_size = 0;
    for (int32_t m = 0; m < count; m++) {
        if (!ck_known_matrix(weights[m])) return CK_BAD_FORMAT;
        if (weights[m]->cols != cols) return CK_BAD_SHAPE;
        if (weights[m]->rows > rows) rows = weights[m]->rows;
        if (precision != CK_PRECISION_INT8) continue;
        if (weights[m]->bits == 32) {
            any_f32 = true;
        } else {
            if (any_int8 && weights[m]->group_size != group_size) {
                /* activations are rounded per weight group: mixed sizes take a pass each */
                const ck_status_t status = ck_matmul(precision, x, tokens, weights, outputs, m,
                                                     accumulate, workspace, workspace_bytes);
                if (status != CK_OK) return status;
                return ck_matmul(precision, x, tokens, weights + m, outputs + m, count - m,
                                 accumulate, workspace, workspace_bytes);
            }
            any_int8 = true;
            group_size = weights[m]->group_size;
        }
    }
    if (cols == 0) {
        for (int32_t m = 0; !accumulate && m < count; m++) {
            memset(outputs[m], 0, sizeof(float) * tokens * weights[m]->rows);
        }
        return CK_OK;
    }
    if ((uintptr_t)workspace % 64 ||
        workspace_bytes < ck_matmul_workspace(precision, tokens, rows, cols)) {
        return CK_BAD_WORKSPACE;
    }

    char* next = workspace;
    void* const tiles = next;
    next += ck_tiled_bytes(CK_PRECISION_EXACT, tokens, cols);
    const ck_table_t* table = ck_table();
    /* weights of bits 32 have no bf16 variant of their own: they take the f32 one */
    const bool is_bf16 = precision == CK_PRECISION_BF16 && table->matmul_bf16;
    if (any_f32) {
        ck_tile_activations(is_bf16 ? CK_PRECISION_BF16 : CK_PRECISION_EXACT, x, tokens, cols,
                            tiles);
    }
    int8_t* q = NULL;
    float *scale = NULL, *sum = NULL;
    if (precision == CK_PRECISION_INT8) {
        q = (int8_t*)next;
        scale = (float*)(next + aligned((size_t)tokens * cols));
        sum = (float*)((char*)scale + aligned(tokens * ((size_t)(cols / 32) + 1) * sizeof(float)));
        next += int8_bytes(tokens, cols);
    }
    if (any_int8) {
        quantize_job_t job = {x, tokens, cols, group_size, q, scale, sum};
        ck_parallel(tokens, CK_TILE_WIDE_INT8, quantize_run, &job);
    }

    matmul_job_t job = {.count = count, .scratch = next, .scratch_bytes = panel_bytes(cols)};
    int64_t blocks = 0;
    for (int32_t m = 0; m < count; m++) {
        const bool is_int8 = precision == CK_PRECISION_INT8 && weights[m]->bits != 32;
        job.args[m] = (ck_matmul_args_t){.w = weights[m],
                                         .x = is_int8 ? (const void*)q : tiles,
                                         .scale = scale,
                                         .sum = sum,
                                         .tokens = tokens,
                                         .y = outputs[m],
                                         .stride = weights[m]->rows,
                                         .accumulate = accumulate};
        job.function[m] = is_int8   ? table->matmul_int8
                          : is_bf16 ? table->matmul_bf16
                                    : table->matmul_f32;
        blocks += ck_block_count(weights[m]->rows);
    }
    ck_parallel(blocks, 1, matmul_blocks, &job);
    return CK_OK;
}
