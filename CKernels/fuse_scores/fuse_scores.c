/* The linear model over the parts of a score: validation and partition by blocks. */
#include "CKernels.h"
#include "parallel/parallel.h"
#include "selection/table.h"

typedef struct {
    ck_fuse_scores_job_t job;
    int64_t block;
    float* highest;
} fuse_scores_work_t;

static void fuse_scores_blocks(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    const fuse_scores_work_t* work = context;
    const int64_t count = work->job.exchanges->count;
    for (int64_t block = begin; block < end; block++) {
        const int64_t first = block * work->block;
        const int64_t last = first + work->block < count ? first + work->block : count;
        work->highest[block] = ck_table()->fuse_scores(&work->job, first, last);
    }
}

ck_status_t ck_fuse_scores(const ck_fusion_t* weights, const float* sums, const float* near_user,
                           const float* near_other, const ck_exchanges_t* exchanges, int64_t block,
                           float* scores, float* highest) {
    if (exchanges->count < 0 || block <= 0) return CK_BAD_SHAPE;
    fuse_scores_work_t work = {
        {weights, sums, near_user, near_other, exchanges, scores}, block, highest};
    const int64_t grain = block < 8192 ? 8192 / block : 1;
    ck_parallel((exchanges->count + block - 1) / block, grain, fuse_scores_blocks, &work);
    return CK_OK;
}
