/* The loop of bm25_loop.h, compiled for NEON, which every ARMv8 has. */
#if defined(__aarch64__)
#include "bm25/bm25_loop.h"
#include "selection/table.h"

void ck_bm25_neon(const ck_bm25_job_t* job, int64_t begin, int64_t end, float best[3]) {
    bm25_loop(job, begin, end, best);
}
#endif
