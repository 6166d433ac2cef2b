/* GELU (Hendrycks & Gimpel 2016), the erf form: validation and partition. */
#include "CKernels.h"
#include "parallel/parallel.h"
#include "selection/table.h"

typedef struct {
    const float* x;
    float* out;
} gelu_job_t;

static void gelu_range(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    const gelu_job_t* job = context;
    ck_table()->gelu(job->x, begin, end, job->out);
}

ck_status_t ck_gelu(const float* x, int64_t count, float* out) {
    if (count < 0) return CK_BAD_SHAPE;
    gelu_job_t job = {x, out};
    ck_parallel(count, 4096, gelu_range, &job);
    return CK_OK;
}
