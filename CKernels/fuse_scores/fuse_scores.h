#ifndef CK_FUSE_SCORES_H
#define CK_FUSE_SCORES_H

#include <stdint.h>

#include "CKernels.h"

/* The operands of ck_fuse_scores. */
typedef struct {
    const ck_fusion_t* weights;
    const float *sums, *near_user, *near_other;
    const ck_exchanges_t* exchanges;
    float* scores;
} ck_fuse_scores_job_t;

/* Scores begin ..< end of ck_fuse_scores.
 * Returns: the highest of them, negative infinity where there are none. */
typedef float ck_fuse_scores_fn(const ck_fuse_scores_job_t* job, int64_t begin, int64_t end);

#endif
