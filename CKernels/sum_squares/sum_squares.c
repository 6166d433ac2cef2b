/* Sum of squares (the norm that gradients are clipped by). The input is cut into SLICES ranges that
 * depend on its length alone; each is summed by one thread and the slices are added in order. */
#include "CKernels.h"
#include "parallel/parallel.h"
#include "selection/table.h"

enum { SLICES = 64 };

typedef struct {
    const float* x;
    int64_t count;
    double sums[SLICES];
} sum_squares_job_t;

static void sum_squares_slices(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    sum_squares_job_t* job = context;
    for (int64_t slice = begin; slice < end; slice++) {
        const int64_t first = job->count * slice / SLICES;
        const int64_t last = job->count * (slice + 1) / SLICES;
        job->sums[slice] = ck_table()->sum_squares(job->x + first, last - first);
    }
}

double ck_sum_squares(const float* x, int64_t count) {
    if (count <= 0) return 0;
    sum_squares_job_t job = {.x = x, .count = count};
    /* Below 16,384 elements, starting a thread takes longer than the sum. */
    ck_parallel(SLICES, count < 16384 ? SLICES : 1, sum_squares_slices, &job);
    double sum = 0;
    for (int slice = 0; slice < SLICES; slice++) sum += job.sums[slice];
    return sum;
}
