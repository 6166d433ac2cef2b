/* A team: threads that stand by for the loops of one caller. Knows nothing of where they come
 * from. */
#ifndef CK_TEAM_H
#define CK_TEAM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "parallel/parallel.h"
#include "selection/scope.h"

/* One loop, as the caller posts it. */
typedef struct ck_job {
    ck_body_t* body; /* NULL: the team is dismissed */
    void* context;
    int64_t count, grain, grains; /* grains: count in units of grain, rounded up */
    int32_t parts;                /* threads that take a share; at most the team's size */
    bool is_dynamic;
    const ck_scope_t* scope; /* the caller's, in which everyone runs their share */
} ck_job_t;

/* `posted` counts the jobs; a member that sees it change runs its share and counts itself in
 * `done`. Each counter has a cache line of its own, since everyone watches them. */
typedef struct ck_team_state {
    _Alignas(64) _Atomic uint32_t posted;
    _Alignas(64) _Atomic int32_t done;
    _Alignas(64) _Atomic int64_t next; /* of a dynamic job: the next grain to be taken */
    _Alignas(64) ck_job_t job;
    int32_t size; /* threads, the caller among them */
} ck_team_state_t;

/* Runs member number `thread` (1 ..< size) until the team is dismissed. */
void ck_team_serve(ck_team_state_t* team, int32_t thread);
/* Shares a job out, does the caller's part, and returns when all of it is done. */
void ck_team_run(ck_team_state_t* team, const ck_job_t* job);
/* Sends the members home. */
void ck_team_dismiss(ck_team_state_t* team);

/* Thread number `thread`'s part of a job: its range where the job is static, grains taken from
 * `next` where it is dynamic; nothing where the job has fewer parts. */
void ck_job_part(const ck_job_t* job, _Atomic int64_t* next, int32_t thread);

/* Whether this thread is inside its part of a job. */
bool ck_in_job(void);

#endif
