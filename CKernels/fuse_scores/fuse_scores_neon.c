/* The loop of fuse_scores_loop.h, compiled for NEON, which every ARMv8 has. */
#if defined(__aarch64__)
#include "fuse_scores/fuse_scores_loop.h"
#include "selection/table.h"

float ck_fuse_scores_neon(const ck_fuse_scores_job_t* job, int64_t begin, int64_t end) {
    return fuse_scores_loop(job, begin, end);
}
#endif
