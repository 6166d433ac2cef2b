#include "parallel/parallel.h"

#include "CKernels.h"
#include "parallel/team.h"
#include "selection/scope.h"

#ifdef _OPENMP
/* As omp.h declares them; compilers that come without the runtime come without the header too. */
int omp_get_thread_num(void);
int omp_get_num_threads(void);
#endif

bool ck_has_threads(void) {
#ifdef _OPENMP
    return true;
#else
    return false;
#endif
}

int32_t ck_threads(void) { return ck_has_threads() ? ck_scope()->threads : 1; }

/* The team that this thread is the caller of, or NULL. */
static _Thread_local ck_team_state_t* own_team = NULL;

void ck_team(void (*body)(void* context), void* context) {
    const int32_t threads = ck_threads();
    if (threads == 1 || own_team || ck_in_job()) {
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

static int32_t least(int64_t a, int64_t b) { return (int32_t)(a < b ? a : b); }

static void run(ck_job_t job) {
    if (job.count <= 0) return;
    job.grains = (job.count + job.grain - 1) / job.grain;
    job.parts = least(job.grains, ck_threads());
    if (own_team) job.parts = least(job.parts, own_team->size);
    /* Inside a share of another job the other threads are busy, and a team has room for one job. */
    if (job.parts == 1 || ck_in_job()) {
        job.body(job.context, 0, job.count, 0);
        return;
    }
    job.scope = ck_scope();
    if (own_team) {
        ck_team_run(own_team, &job);
        return;
    }
    _Atomic int64_t next = 0;
#pragma omp parallel for num_threads((int)job.parts) schedule(static, 1)
    for (int32_t part = 0; part < job.parts; part++) ck_job_part(&job, &next, part);
}

void ck_parallel(int64_t count, int64_t grain, ck_body_t* body, void* context) {
    run((ck_job_t){.body = body, .context = context, .count = count, .grain = grain});
}

void ck_parallel_dynamic(int64_t count, int64_t grain, ck_body_t* body, void* context) {
    run((ck_job_t){
        .body = body, .context = context, .count = count, .grain = grain, .is_dynamic = true});
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
