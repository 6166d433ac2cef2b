/* Posting, spinning and sharing out. */
#include "parallel/team.h"

#include <sched.h>

/* Turns of waiting before the processor is offered to others: some hundreds of microseconds, longer
 * than any stretch of the caller's own work between two loops of a forward pass. */
enum { PATIENT_TURNS = 1 << 14 };

static inline void rest(int32_t turn) {
    if (turn > PATIENT_TURNS) {
        sched_yield();
        return;
    }
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static _Thread_local bool in_job = false;

bool ck_in_job(void) { return in_job; }

static void run_part(const ck_job_t* job, _Atomic int64_t* next, int32_t thread) {
    if (!job->is_dynamic) {
        const int64_t begin = job->grains * thread / job->parts * job->grain;
        const int64_t end = job->grains * (thread + 1) / job->parts * job->grain;
        job->body(job->context, begin, end < job->count ? end : job->count, thread);
        return;
    }
    for (;;) {
        const int64_t taken = atomic_fetch_add_explicit(next, 1, memory_order_relaxed);
        if (taken >= job->grains) return;
        const int64_t begin = taken * job->grain, end = begin + job->grain;
        job->body(job->context, begin, end < job->count ? end : job->count, thread);
    }
}

void ck_job_part(const ck_job_t* job, _Atomic int64_t* next, int32_t thread) {
    if (thread >= job->parts) return;
    const ck_scope_t* own = ck_enter_scope(job->scope);
    in_job = true;
    run_part(job, next, thread);
    in_job = false;
    ck_enter_scope(own);
}

void ck_team_serve(ck_team_state_t* team, int32_t thread) {
    for (uint32_t seen = 0;; seen++) {
        for (int32_t turn = 0; atomic_load_explicit(&team->posted, memory_order_acquire) == seen;
             turn++) {
            rest(turn);
        }
        if (!team->job.body) return;
        ck_job_part(&team->job, &team->next, thread);
        atomic_fetch_add_explicit(&team->done, 1, memory_order_release);
    }
}

static void post(ck_team_state_t* team, const ck_job_t* job) {
    team->job = *job;
    atomic_store_explicit(&team->done, 0, memory_order_relaxed);
    atomic_store_explicit(&team->next, 0, memory_order_relaxed);
    atomic_fetch_add_explicit(&team->posted, 1, memory_order_release);
}

void ck_team_run(ck_team_state_t* team, const ck_job_t* job) {
    post(team, job);
    ck_job_part(&team->job, &team->next, 0);
    /* Everyone answers, also members without a share: only then may the next job be written. */
    for (int32_t turn = 0;
         atomic_load_explicit(&team->done, memory_order_acquire) != team->size - 1; turn++) {
        rest(turn);
    }
}

void ck_team_dismiss(ck_team_state_t* team) {
    const ck_job_t nothing = {0};
    post(team, &nothing);
}
