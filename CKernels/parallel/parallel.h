/* Threads: the only folder that names OpenMP.
 *
 * Outside ck_team every loop is an OpenMP region of its own. Inside it (see CKernels.h) the threads
 * of one region stand by, and a loop is a job that the caller posts and they pick up: no threads
 * are forked and joined, which decides the speed of work as small as one token's (264 against 319
 * tokens a second on SmolLM2-135M). */
#ifndef CK_PARALLEL_H
#define CK_PARALLEL_H

#include <stdint.h>

/* A piece of work: items begin ..< end of whatever the driver counts, run as thread number `thread`
 * (< ck_threads(), for per-thread slices of a workspace). */
typedef void ck_body_t(void* context, int64_t begin, int64_t end, int32_t thread);

/* Runs body over 0 ..< count in ranges whose borders are multiples of `grain`, at most one range a
 * thread, and returns when all are done. One range runs on the caller's thread, and so does
 * everything that is called inside a body: the other threads are busy with that body's job. */
void ck_parallel(int64_t count, int64_t grain, ck_body_t* body, void* context);

/* The same with ranges of exactly `grain` items handed out as threads become free: for items of
 * uneven cost. */
void ck_parallel_dynamic(int64_t count, int64_t grain, ck_body_t* body, void* context);

#endif
