/* dx = dy W: the backward pass through a frozen matrix. The same tiles and micro-kernels as the
 * forward product, with the panel transposed: blocks of 16 columns of W, summed over its rows. */
#include "activations/activations.h"
#include "matmul/matmul.h"
#include "matmul/matmul_accelerate.h"
#include "pack/pack.h"
#include "parallel/parallel.h"
#include "selection/table.h"

static const size_t panel_bytes = (size_t)CK_PANEL_COLS * 64 + 64;

size_t ck_matmul_transposed_workspace(ck_precision_t precision, int32_t tokens, int32_t rows,
                                      int32_t cols) {
    (void)precision;
    (void)cols;
    if (tokens <= 0 || rows <= 0) return 64;
    const size_t own =
        ck_tiled_bytes(CK_PRECISION_EXACT, tokens, rows) + (size_t)ck_threads() * panel_bytes;
    const size_t accelerate = ck_accelerate_takes(tokens) ? ck_accelerate_workspace() : 0;
    return own > accelerate ? own : accelerate;
}

typedef struct {
    ck_matmul_args_t args;
    ck_matmul_fn* function;
    char* scratch;
} transposed_job_t;

static void transposed_blocks(void* context, int64_t begin, int64_t end, int32_t thread) {
    const transposed_job_t* job = context;
    job->function(&job->args, begin, end, job->scratch + (size_t)thread * panel_bytes);
}

ck_status_t ck_matmul_transposed(ck_precision_t precision, const float* dy, int32_t tokens,
                                 const ck_matrix_t* w, float* dx, bool accumulate, void* workspace,
                                 size_t workspace_bytes) {
    if (precision == CK_PRECISION_INT8 || precision == CK_PRECISION_INT8X2 || !ck_known_matrix(w))
        return CK_BAD_FORMAT;
    if (tokens < 0) return CK_BAD_SHAPE;
    if (tokens == 0 || w->cols == 0) return CK_OK;
    if (w->rows == 0) {
        if (!accumulate) memset(dx, 0, sizeof(float) * tokens * w->cols);
        return CK_OK;
    }
    const size_t needed = ck_matmul_transposed_workspace(precision, tokens, w->rows, w->cols);
    if ((uintptr_t)workspace % 64 || workspace_bytes < needed) return CK_BAD_WORKSPACE;

    const ck_table_t* table = ck_table();
    const bool is_bf16 = precision == CK_PRECISION_BF16 && table->matmul_transposed_bf16;
    if (!is_bf16 && ck_accelerate_takes(tokens)) {
        ck_matmul_transposed_accelerate(dy, tokens, w, dx, accumulate, workspace);
        return CK_OK;
    }
    ck_tile_activations(is_bf16 ? CK_PRECISION_BF16 : CK_PRECISION_EXACT, dy, tokens, w->rows,
                        workspace);
    transposed_job_t job = {
        .args = {.w = w,
                 .x = workspace,
                 .tokens = tokens,
                 .y = dx,
                 .stride = w->cols,
                 .accumulate = accumulate},
        .function = is_bf16 ? table->matmul_transposed_bf16 : table->matmul_transposed_f32,
        .scratch = (char*)workspace + ck_tiled_bytes(CK_PRECISION_EXACT, tokens, w->rows)};
    ck_parallel(ck_block_count(w->cols), 1, transposed_blocks, &job);
    return CK_OK;
}
