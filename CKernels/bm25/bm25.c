/* BM25 of all exchanges: validation and partition. */
#include <string.h>

#include "CKernels.h"
#include "parallel/parallel.h"
#include "selection/table.h"

/* More slices than threads need, and so few that their best values fit on the stack. */
enum { SLICES = 64 };

typedef struct {
    ck_bm25_job_t job;
    float best[SLICES][3];
} bm25_work_t;

static void bm25_slices(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    bm25_work_t* work = context;
    const int64_t count = work->job.exchanges->count;
    for (int64_t slice = begin; slice < end; slice++) {
        ck_table()->bm25(&work->job, count * slice / SLICES, count * (slice + 1) / SLICES,
                         work->best[slice]);
    }
}

ck_status_t ck_bm25(const ck_bm25_t* options, const uint8_t* counts, const float* information,
                    int32_t terms, const ck_exchanges_t* exchanges, bool adds, float* sums,
                    float best[3]) {
    if (terms < 0 || exchanges->count < 0) return CK_BAD_SHAPE;
    bm25_work_t work = {{options, counts, information, terms, exchanges, adds, sums}, {{0}}};
    /* Below 8,192 exchanges, starting a thread takes longer than the sums. */
    ck_parallel(SLICES, exchanges->count < 8192 ? SLICES : 1, bm25_slices, &work);
    memset(best, 0, 3 * sizeof *best);
    for (int slice = 0; slice < SLICES; slice++) {
        for (int part = 0; part < 3; part++) {
            if (work.best[slice][part] > best[part]) best[part] = work.best[slice][part];
        }
    }
    return CK_OK;
}
