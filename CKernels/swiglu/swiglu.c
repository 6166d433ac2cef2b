/* SwiGLU (Shazeer 2020) and its gradients: validation and partition. */
#include "CKernels.h"
#include "parallel/parallel.h"
#include "selection/table.h"

/* Elements that are worth a thread: where they come from memory, and where another thread has
 * them. */
enum { GRAIN = 4096, COLUMN_GRAIN = 512, COLUMNS = 16 };

typedef struct {
    const float *gate, *up, *dout;
    float *out, *dgate, *dup;
    int32_t tokens, width;
} swiglu_job_t;

/* Items are COLUMNS columns of every token: those that a thread's share of a matmul has just
 * written. */
static void swiglu_columns(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    const swiglu_job_t* job = context;
    const int64_t width = job->width, first = begin * COLUMNS;
    const int64_t last = end * COLUMNS < width ? end * COLUMNS : width;
    for (int64_t row = 0; row < job->tokens * width; row += width) {
        ck_table()->swiglu(job->gate, job->up, row + first, row + last, job->out);
    }
}

static void backward_range(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    const swiglu_job_t* job = context;
    ck_table()->swiglu_backward(job->gate, job->up, job->dout, begin, end, job->dgate, job->dup);
}

ck_status_t ck_swiglu(const float* gate, const float* up, int32_t tokens, int32_t width,
                      float* out) {
    if (tokens < 0 || width < 0) return CK_BAD_SHAPE;
    if (tokens == 0) return CK_OK;
    swiglu_job_t job = {.gate = gate, .up = up, .out = out, .tokens = tokens, .width = width};
    const int64_t items = ((int64_t)width + COLUMNS - 1) / COLUMNS;
    const int64_t grain = COLUMN_GRAIN / COLUMNS / tokens;
    ck_parallel(items, grain < 1 ? 1 : grain, swiglu_columns, &job);
    return CK_OK;
}

ck_status_t ck_swiglu_backward(const float* gate, const float* up, const float* dout, int64_t count,
                               float* dgate, float* dup) {
    if (count < 0) return CK_BAD_SHAPE;
    swiglu_job_t job = {.gate = gate, .up = up, .dout = dout, .dgate = dgate, .dup = dup};
    ck_parallel(count, GRAIN, backward_range, &job);
    return CK_OK;
}
