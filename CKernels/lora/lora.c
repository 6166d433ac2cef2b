/* LoRA (Hu et al. 2021), forward and gradients: validation, partition, and the two transposes that
 * let the backward pass use the forward's products:
 *   g = scale * dy Bᵀ is a `down` of dy by Bᵀ;  dx += g Aᵀ is an `up` of g by Aᵀ. */
#include "CKernels.h"
#include "parallel/parallel.h"
#include "selection/table.h"

/* Tokens and columns are handed out in multiples of these: whole tiles of every variant. */
enum { TOKEN_GRAIN = 16, COLUMN_GRAIN = 64 };

typedef struct {
    const float *x, *a, *b;
    float scale;
    int32_t in, out, rank;
    float *xa, *y;
} lora_job_t;

static void lora_rows(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    const lora_job_t* job = context;
    ck_table()->lora_down(job->x, job->a, 1, begin, end, job->in, job->rank, job->xa);
    ck_table()->lora_up(job->xa, job->b, job->scale, begin, end, job->out, job->rank, job->y);
}

ck_status_t ck_lora(const float* x, const float* a, const float* b, float scale, int32_t tokens,
                    int32_t in, int32_t out, int32_t rank, float* xa, float* y) {
    if (tokens < 0 || in < 0 || out < 0 || rank < 0) return CK_BAD_SHAPE;
    lora_job_t job = {x, a, b, scale, in, out, rank, xa, y};
    if (tokens <= CK_FEW_TOKENS) {
        for (int64_t t = 0; t < tokens; t++) lora_rows(&job, t, t + 1, 0);
    } else {
        ck_parallel(tokens, TOKEN_GRAIN, lora_rows, &job);
    }
    return CK_OK;
}

typedef struct {
    const float *x, *xa, *dy;
    float scale;
    int32_t tokens, in, out, rank;
    const float *at, *bt; /* [rank, in] and [out, rank] */
    float *g, *da, *db, *dx;
} lora_backward_job_t;

static void lora_backward_rows(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    const lora_backward_job_t* job = context;
    ck_table()->lora_down(job->dy, job->bt, job->scale, begin, end, job->out, job->rank, job->g);
    if (job->dx) ck_table()->lora_up(job->g, job->at, 1, begin, end, job->in, job->rank, job->dx);
}

/* Blocks of COLUMN_GRAIN columns: those of x first (da), then those of dy (db). */
static void lora_backward_blocks(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    const lora_backward_job_t* job = context;
    const int64_t in_blocks = (job->in + COLUMN_GRAIN - 1) / COLUMN_GRAIN;
    const int64_t in_end = end < in_blocks ? end : in_blocks;
    if (begin < in_end) {
        const int64_t last = in_end * COLUMN_GRAIN;
        ck_table()->lora_outer(job->g, job->x, 1, begin * COLUMN_GRAIN,
                               last < job->in ? last : job->in, job->tokens, job->in, job->rank,
                               true, job->da);
    }
    const int64_t out_begin = begin > in_blocks ? begin : in_blocks;
    if (out_begin < end) {
        const int64_t last = (end - in_blocks) * COLUMN_GRAIN;
        ck_table()->lora_outer(job->xa, job->dy, job->scale, (out_begin - in_blocks) * COLUMN_GRAIN,
                               last < job->out ? last : job->out, job->tokens, job->out, job->rank,
                               false, job->db);
    }
}

static void transpose(const float* source, int32_t rows, int32_t columns, float* target) {
    for (int32_t i = 0; i < rows; i++) {
        for (int32_t j = 0; j < columns; j++)
            target[(int64_t)j * rows + i] = source[(int64_t)i * columns + j];
    }
}

size_t ck_lora_backward_workspace(int32_t tokens, int32_t in, int32_t out, int32_t rank) {
    if (tokens < 0 || in < 0 || out < 0 || rank < 0) return 0;
    return ((size_t)tokens + (size_t)in + (size_t)out) * (size_t)rank * sizeof(float);
}

ck_status_t ck_lora_backward(const float* x, const float* xa, const float* a, const float* b,
                             const float* dy, float scale, int32_t tokens, int32_t in, int32_t out,
                             int32_t rank, float* da, float* db, float* dx, void* workspace,
                             size_t workspace_bytes) {
    if (tokens < 0 || in < 0 || out < 0 || rank < 0) return CK_BAD_SHAPE;
    if (tokens == 0 || rank == 0) return CK_OK;
    if (workspace_bytes < ck_lora_backward_workspace(tokens, in, out, rank) ||
        ((uintptr_t)workspace & 63) != 0) {
        return CK_BAD_WORKSPACE;
    }
    float* g = workspace;
    float* bt = g + (int64_t)tokens * rank;
    float* at = bt + (int64_t)out * rank;
    transpose(b, rank, out, bt);
    if (dx) transpose(a, in, rank, at);
    lora_backward_job_t job = {x, xa, dy, scale, tokens, in, out, rank, at, bt, g, da, db, dx};
    ck_parallel(tokens, TOKEN_GRAIN, lora_backward_rows, &job);
    const int64_t in_blocks = (in + COLUMN_GRAIN - 1) / COLUMN_GRAIN;
    const int64_t out_blocks = (out + COLUMN_GRAIN - 1) / COLUMN_GRAIN;
    ck_parallel(in_blocks + out_blocks, 1, lora_backward_blocks, &job);
    return CK_OK;
}
