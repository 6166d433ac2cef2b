/* Appending to a cache: validation, sizes and partition. */
#include "attention/attention.h"
#include "parallel/parallel.h"
#include "selection/table.h"

int64_t ck_cache_rows(int64_t capacity) { return ck_round_up(capacity, CK_SIDE_BY_SIDE); }

size_t ck_cache_bytes(ck_cache_format_t format, int64_t kv_heads, int64_t capacity,
                      int64_t head_dim) {
    return (size_t)(kv_heads * ck_cache_head_size(format, capacity, head_dim) *
                    ck_cache_number_bytes(format));
}

typedef struct {
    ck_cache_t cache;
    const ck_attention_shape_t* shape;
    const float *k, *v;
} append_job_t;

static void append_rows(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    const append_job_t* job = context;
    ck_table()->cache_append(job->shape, job->k, job->v, begin, end, job->cache);
}

ck_status_t ck_cache_append(ck_cache_t cache, const ck_attention_shape_t* shape, const float* k,
                            const float* v) {
    if (shape->tokens < 0 || shape->past < 0 || shape->kv_heads < 0 || shape->head_dim < 0 ||
        (int64_t)shape->past + shape->tokens > shape->capacity) {
        return CK_BAD_SHAPE;
    }
    if (!ck_cache_number_bytes(cache.format)) return CK_BAD_FORMAT;
    if (cache.format != CK_CACHE_F32 && shape->head_dim > CK_WIDEST_INTEGER_ROW) {
        return CK_BAD_SHAPE;
    }
    append_job_t job = {cache, shape, k, v};
    ck_parallel((int64_t)shape->tokens * shape->kv_heads, 64, append_rows, &job);
    return CK_OK;
}
