/* RMSNorm (Zhang & Sennrich 2019): validation and partition. */
#include "CKernels.h"
#include "parallel/parallel.h"
#include "selection/table.h"

typedef struct {
    const float *x, *w;
    int32_t width;
    float eps;
    float *y, *rstd;
} rmsnorm_job_t;

static void rmsnorm_rows(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    const rmsnorm_job_t* job = context;
    ck_table()->rmsnorm(job->x, job->w, begin, end, job->width, job->eps, job->y, job->rstd);
}

ck_status_t ck_rmsnorm(const float* x, const float* w, int32_t tokens, int32_t width, float eps,
                       float* y, float* rstd) {
    if (tokens < 0 || width < 0) return CK_BAD_SHAPE;
    rmsnorm_job_t job = {x, w, width, eps, y, rstd};
    ck_parallel(tokens, 16, rmsnorm_rows, &job);
    return CK_OK;
}
