/* SwiGLU (Shazeer 2020) and its gradients: validation and partition. */
#include "CKernels.h"
#include "dispatch/dispatch.h"
#include "parallel/parallel.h"

/* Elements that are worth a thread. */
enum { GRAIN = 4096 };

typedef struct {
    const float *gate, *up, *dout;
    float *out, *dgate, *dup;
} swiglu_job_t;

static void swiglu_range(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    const swiglu_job_t* job = context;
    ck_table()->swiglu(job->gate, job->up, begin, end, job->out);
}

static void backward_range(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    const swiglu_job_t* job = context;
    ck_table()->swiglu_backward(job->gate, job->up, job->dout, begin, end, job->dgate, job->dup);
}

ck_status_t ck_swiglu(const float* gate, const float* up, int64_t count, float* out) {
    if (count < 0) return CK_BAD_SHAPE;
    swiglu_job_t job = {.gate = gate, .up = up, .out = out};
    ck_parallel(count, GRAIN, swiglu_range, &job);
    return CK_OK;
}

ck_status_t ck_swiglu_backward(const float* gate, const float* up, const float* dout, int64_t count,
                               float* dgate, float* dup) {
    if (count < 0) return CK_BAD_SHAPE;
    swiglu_job_t job = {.gate = gate, .up = up, .dout = dout, .dgate = dgate, .dup = dup};
    ck_parallel(count, GRAIN, backward_range, &job);
    return CK_OK;
}
