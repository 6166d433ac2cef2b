/* Residual and bias additions: validation and partition. */
#include "CKernels.h"
#include "parallel/parallel.h"
#include "selection/table.h"

typedef struct {
    float* y;
    const float* x;
    int32_t width;
} add_job_t;

static void add_range(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    const add_job_t* job = context;
    ck_table()->add(job->y, job->x, begin, end);
}

static void add_bias_rows(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    const add_job_t* job = context;
    ck_table()->add_bias(job->y, job->x, begin, end, job->width);
}

ck_status_t ck_add(float* y, const float* x, int64_t count) {
    if (count < 0) return CK_BAD_SHAPE;
    add_job_t job = {y, x, 0};
    ck_parallel(count, 16384, add_range, &job);
    return CK_OK;
}

ck_status_t ck_add_bias(float* y, const float* b, int32_t tokens, int32_t width) {
    if (tokens < 0 || width < 0) return CK_BAD_SHAPE;
    add_job_t job = {y, b, width};
    ck_parallel(tokens, 16, add_bias_rows, &job);
    return CK_OK;
}
