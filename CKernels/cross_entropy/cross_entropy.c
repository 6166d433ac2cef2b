/* Softmax cross-entropy with its gradient: validation and partition. */
#include "CKernels.h"
#include "parallel/parallel.h"
#include "selection/table.h"

typedef struct {
    const float* logits;
    const int32_t* targets;
    int32_t vocabulary;
    float row_scale;
    float *losses, *gradient;
} cross_entropy_job_t;

static void cross_entropy_rows(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    const cross_entropy_job_t* job = context;
    ck_table()->cross_entropy(job->logits, job->targets, begin, end, job->vocabulary,
                              job->row_scale, job->losses, job->gradient);
}

ck_status_t ck_cross_entropy(const float* logits, const int32_t* targets, int32_t tokens,
                             int32_t vocabulary, float row_scale, float* losses, float* gradient) {
    if (tokens < 0 || vocabulary < 0) return CK_BAD_SHAPE;
    for (int32_t t = 0; t < tokens; t++) {
        if (targets[t] < 0 || targets[t] >= vocabulary) return CK_BAD_INDEX;
    }
    cross_entropy_job_t job = {logits, targets, vocabulary, row_scale, losses, gradient};
    ck_parallel(tokens, 1, cross_entropy_rows, &job);
    return CK_OK;
}
