/* Adam (Kingma & Ba 2014) and AdamW (Loshchilov & Hutter 2017): terms of the step and partition. */
#include <math.h>

#include "CKernels.h"
#include "parallel/parallel.h"
#include "selection/table.h"

typedef struct {
    ck_adam_terms_t terms;
    const float* gradient;
    float *parameter, *m, *v;
} adam_job_t;

static void adam_range(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    const adam_job_t* job = context;
    ck_table()->adam(&job->terms, job->gradient, begin, end, job->parameter, job->m, job->v);
}

ck_status_t ck_adam(const ck_adam_t* options, const float* gradient, int64_t count,
                    float* parameter, float* m, float* v) {
    if (count < 0 || options->step < 1) return CK_BAD_SHAPE;
    const double beta1 = options->beta1, beta2 = options->beta2, rate = options->learning_rate;
    const bool corrects = options->bias_correction;
    const ck_adam_terms_t terms = {
        .gradient_scale = options->gradient_scale,
        .beta1 = options->beta1,
        .rest1 = (float)(1 - beta1),
        .beta2 = options->beta2,
        .rest2 = (float)(1 - beta2),
        .keep = (float)(1 - rate * options->weight_decay),
        .rate = (float)(corrects ? rate / (1 - pow(beta1, options->step)) : rate),
        .unbias2 = (float)(corrects ? 1 / (1 - pow(beta2, options->step)) : 1),
        .epsilon = options->epsilon,
    };
    adam_job_t job = {terms, gradient, parameter, m, v};
    ck_parallel(count, 4096, adam_range, &job);
    return CK_OK;
}
