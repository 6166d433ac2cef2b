#include "parallel/parallel.h"

#include <unistd.h>

#include "CKernels.h"
#include "parallel/team.h"

#ifdef _OPENMP
/* As omp.h declares them; compilers that come without the runtime come without the header too. */
int omp_get_thread_num(void);
int omp_get_num_threads(void);
#endif

static int32_t thread_count = 0;

void ck_set_threads(int32_t n) {
    if (n < 1) n = (int32_t)sysconf(_SC_NPROCESSORS_ONLN);
    thread_count = n < 1 ? 1 : n;
}

int32_t ck_threads(void) {
    if (thread_count == 0) ck_set_threads(0);
    return ck_has_threads() ? thread_count : 1;
}

bool ck_has_threads(void) {
#ifdef _OPENMP
    return true;
#else
    return false;
#endif
}

/* The team that this thread is the caller of, or NULL. */
static _Thread_local ck_team_state_t* own_team = NULL;

void ck_team(void (*body)(void* context), void* context) {
    const int32_t threads = ck_threads();
    if (threads == 1 || own_team) {
        body(context);
        return;
    }
#ifdef _OPENMP
    ck_team_state_t team = {0};
#pragma omp parallel num_threads(threads)
    {
        const int32_t thread = omp_get_thread_num();
        if (thread == 0) {
            team.size = omp_get_num_threads();
            own_team = &team;
            body(context);
            own_team = NULL;
            ck_team_dismiss(&team);
        } else {
            ck_team_serve(&team, thread);
        }
    }
#endif
}

static void run(const ck_job_t* job) {
    if (job->count <= 0) return;
    const int64_t grains = (job->count + job->grain - 1) / job->grain;
    const int64_t parts = grains < ck_threads() ? grains : ck_threads();
    if (parts == 1) {
        job->body(job->context, 0, job->count, 0);
        return;
    }
    if (own_team) {
        ck_team_run(own_team, job);
        return;
    }
    _Atomic int64_t next = 0;
#pragma omp parallel for num_threads((int)parts) schedule(static, 1)
    for (int64_t part = 0; part < parts; part++) {
        ck_job_part(job, &next, (int32_t)part, (int32_t)parts);
    }
}

void ck_parallel(int64_t count, int64_t grain, ck_body_t* body, void* context) {
    const ck_job_t job = {body, context, count, grain, false};
    run(&job);
}

void ck_parallel_dynamic(int64_t count, int64_t grain, ck_body_t* body, void* context) {
    const ck_job_t job = {body, context, count, grain, true};
    run(&job);
}

typedef struct {
    void (*body)(void* context, int64_t begin, int64_t end);
    void* context;
} ranges_t;

static void ranges_part(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    const ranges_t* ranges = context;
    ranges->body(ranges->context, begin, end);
}

void ck_ranges(int64_t count, int64_t grain,
               void (*body)(void* context, int64_t begin, int64_t end), void* context) {
    ranges_t ranges = {body, context};
    ck_parallel(count, grain, ranges_part, &ranges);
}
