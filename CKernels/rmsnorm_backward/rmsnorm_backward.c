/* Backward pass of RMSNorm: validation and partition. */
#include "CKernels.h"
#include "parallel/parallel.h"
#include "selection/table.h"

typedef struct {
    const float *x, *w, *rstd, *dy;
    int32_t width;
    float* dx;
} rmsnorm_backward_job_t;

static void rmsnorm_backward_rows(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    const rmsnorm_backward_job_t* job = context;
    ck_table()->rmsnorm_backward_x(job->x, job->w, job->rstd, job->dy, begin, end, job->width,
                                   job->dx);
}

ck_status_t ck_rmsnorm_backward_x(const float* x, const float* w, const float* rstd,
                                  const float* dy, int32_t tokens, int32_t width, float* dx) {
    if (tokens < 0 || width < 0) return CK_BAD_SHAPE;
    rmsnorm_backward_job_t job = {x, w, rstd, dy, width, dx};
    ck_parallel(tokens, 16, rmsnorm_backward_rows, &job);
    return CK_OK;
}
