/* Rotary position embedding (Su et al. 2021): validation and partition. */
#include "CKernels.h"
#include "parallel/parallel.h"
#include "selection/table.h"

typedef struct {
    float* x;
    const int32_t* positions;
    const float* frequencies;
    int32_t heads, head_dim;
    bool inverse;
} rope_job_t;

static void rope_tokens(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    const rope_job_t* job = context;
    ck_table()->rope(job->x, job->positions, job->frequencies, begin, end, job->heads,
                     job->head_dim, job->inverse);
}

ck_status_t ck_rope(float* x, const int32_t* positions, const float* frequencies, int32_t tokens,
                    int32_t heads, int32_t head_dim, bool inverse) {
    if (tokens < 0 || heads < 0 || head_dim < 0 || head_dim % 2 != 0) return CK_BAD_SHAPE;
    rope_job_t job = {x, positions, frequencies, heads, head_dim, inverse};
    ck_parallel(tokens, 16, rope_tokens, &job);
    return CK_OK;
}
