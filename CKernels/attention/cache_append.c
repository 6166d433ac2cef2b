/* Appending to a key or value cache: validation and partition. */
#include "attention/attention.h"
#include "dispatch/dispatch.h"
#include "parallel/parallel.h"

typedef struct {
    ck_cache_t cache;
    const ck_attention_shape_t* shape;
    const float* x;
} append_job_t;

static void append_rows(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    const append_job_t* job = context;
    ck_table()->cache_append(job->shape, job->x, begin, end, job->cache);
}

ck_status_t ck_cache_append(ck_cache_t cache, const ck_attention_shape_t* shape, const float* x) {
    if (shape->tokens < 0 || shape->past < 0 || shape->kv_heads < 0 || shape->head_dim < 0 ||
        (int64_t)shape->past + shape->tokens > shape->capacity) {
        return CK_BAD_SHAPE;
    }
    if (cache.dtype != CK_F32 && cache.dtype != CK_F16) return CK_BAD_FORMAT;
    append_job_t job = {cache, shape, x};
    ck_parallel((int64_t)shape->tokens * shape->kv_heads, 64, append_rows, &job);
    return CK_OK;
}
