/* LayerNorm (Ba, Kiros & Hinton 2016): validation and partition. */
#include "CKernels.h"
#include "parallel/parallel.h"
#include "selection/table.h"

typedef struct {
    const float *x, *w, *b;
    int32_t width;
    float eps;
    float* y;
} layernorm_job_t;

static void layernorm_rows(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    const layernorm_job_t* job = context;
    ck_table()->layernorm(job->x, job->w, job->b, begin, end, job->width, job->eps, job->y);
}

ck_status_t ck_layernorm(const float* x, const float* w, const float* b, int32_t tokens,
                         int32_t width, float eps, float* y) {
    if (tokens < 0 || width < 0) return CK_BAD_SHAPE;
    layernorm_job_t job = {x, w, b, width, eps, y};
    ck_parallel(tokens, 16, layernorm_rows, &job);
    return CK_OK;
}
