/* Attention: validation, partition and the merging of partial softmaxes.
 *
 * Many tokens: a tile is one KV head × up to CK_QUERY_ROWS query rows (the heads of its group ×
 * some tokens) and runs over all of its keys. Up to CK_FEW_TOKENS tokens: a tile is one token,
 * whose keys are cut into splits, so that three KV heads keep every thread busy; whoever finishes
 * the last split of a tile merges them, in the order of the keys. A token then has the very bits
 * that it would have alone. Tiles and splits depend on the shape alone, so the result is the same
 * for any number of threads. */
#include "attention/attention.h"

#include <math.h>
#include <string.h>

#include "parallel/parallel.h"
#include "selection/table.h"

/* Keys of a split: long stretches of memory are read faster, short ones share out better. */
enum { LONG_SPLIT = 1024, SHORT_SPLIT = 256, SHORT_UP_TO = 2048 };

static int32_t split_keys(int64_t keys) { return keys > SHORT_UP_TO ? LONG_SPLIT : SHORT_SPLIT; }

static int64_t split_count(int64_t keys) {
    const int64_t size = split_keys(keys);
    return keys > 0 ? (keys + size - 1) / size : 1;
}

/* The most splits that a token can have who sees up to `keys`. */
static int64_t most_splits(int64_t keys) {
    const int64_t most = split_count(keys), of_short = split_count(SHORT_UP_TO);
    return keys > SHORT_UP_TO && most < of_short ? of_short : most;
}

typedef struct {
    int32_t group;       /* query heads per KV head */
    int32_t tile_tokens; /* tokens per tile */
    int32_t tiles;       /* per KV head */
    int64_t splits;      /* per tile at most */
    int64_t rows;        /* of a full tile */
    int64_t state;       /* floats of one partial result */
} plan_t;

static bool is_few(const ck_attention_shape_t* shape) { return shape->tokens <= CK_FEW_TOKENS; }

static plan_t plan_for(const ck_attention_shape_t* shape, int64_t keys) {
    plan_t plan;
    plan.group = shape->heads / shape->kv_heads;
    const int32_t fitting = plan.group < CK_QUERY_ROWS ? CK_QUERY_ROWS / plan.group : 1;
    plan.tile_tokens = is_few(shape) ? 1 : shape->tokens < fitting ? shape->tokens : fitting;
    plan.tiles = (shape->tokens + plan.tile_tokens - 1) / plan.tile_tokens;
    plan.splits = is_few(shape) ? most_splits(keys) : 1;
    plan.rows = (int64_t)plan.tile_tokens * plan.group;
    plan.state = ck_round_up(plan.rows * (shape->head_dim + 2), 16);
    return plan;
}

/* Partial results: one per thread where tiles are whole, else one per tile and split. */
static int64_t state_count(const ck_attention_shape_t* shape, const plan_t* plan) {
    return is_few(shape) ? shape->kv_heads * plan->tiles * plan->splits : ck_threads();
}

typedef struct {
    const ck_attention_shape_t* shape;
    plan_t plan;
    const float* q;
    ck_cache_t cache;
    float *out, *log_sum;
    int32_t* finished; /* [kv_heads * tiles]: splits done; few tokens only */
    float *scratch, *states;
} attention_job_t;

static float* maxima(const attention_job_t* job, int64_t state) {
    return job->states + state * job->plan.state;
}
static float* sums(const attention_job_t* job, int64_t state) {
    return maxima(job, state) + job->plan.rows;
}
static float* weighted(const attention_job_t* job, int64_t state) {
    return sums(job, state) + job->plan.rows;
}

/* out and log_sum of one row from `count` partial results, beginning with state `first`. */
static void merge_row(const attention_job_t* job, int64_t first, int64_t count, int64_t row,
                      int64_t query) {
    const int64_t width = job->shape->head_dim;
    float* out = job->out + query * width;
    memset(out, 0, (size_t)width * sizeof *out);
    float maximum = -INFINITY, sum = 0;
    for (int64_t s = first; s < first + count; s++) {
        const float m = maxima(job, s)[row];
        if (m > maximum) maximum = m;
    }
    for (int64_t s = first; s < first + count; s++) {
        if (sums(job, s)[row] == 0) continue;
        const float factor = expf(maxima(job, s)[row] - maximum);
        const float* partial = weighted(job, s) + row * width;
        sum += factor * sums(job, s)[row];
        for (int64_t i = 0; i < width; i++) out[i] += factor * partial[i];
    }
    const float inverse = sum > 0 ? 1 / sum : 0;
    for (int64_t i = 0; i < width; i++) out[i] *= inverse;
    if (job->log_sum) job->log_sum[query] = maximum + logf(sum);
}

/* The keys that some token of token_begin ..< token_end sees. */
static void visible_to_tile(ck_attention_tile_t* tile) {
    tile->key_begin = INT32_MAX;
    tile->key_end = 0;
    for (int32_t t = tile->token_begin; t < tile->token_end; t++) {
        int32_t first, end;
        ck_visible_keys(tile->shape, t, &first, &end);
        if (first >= end) continue;
        if (first < tile->key_begin) tile->key_begin = first;
        if (end > tile->key_end) tile->key_end = end;
    }
    if (tile->key_begin > tile->key_end) tile->key_begin = tile->key_end;
}

static void attention_item(void* context, int64_t begin, int64_t end, int32_t thread) {
    attention_job_t* job = context;
    const ck_attention_shape_t* shape = job->shape;
    const plan_t* plan = &job->plan;
    for (int64_t item = begin; item < end; item++) {
        const int64_t split = item % plan->splits, tile_index = item / plan->splits;
        /* The tiles with the most keys (causally, the last ones) first, so that none is left alone
         * at the end. */
        const int64_t tile_of_head = plan->tiles - 1 - tile_index / shape->kv_heads;
        ck_attention_tile_t tile = {.shape = shape,
                                    .q = job->q,
                                    .cache = job->cache,
                                    .kv_head = (int32_t)(tile_index % shape->kv_heads)};
        tile.token_begin = (int32_t)tile_of_head * plan->tile_tokens;
        tile.token_end = tile.token_begin + plan->tile_tokens;
        if (tile.token_end > shape->tokens) tile.token_end = shape->tokens;
        visible_to_tile(&tile);
        int64_t splits = 1;
        if (is_few(shape)) {
            splits = split_count(tile.key_end);
            if (split >= splits) continue;
            const int32_t size = split_keys(tile.key_end);
            const int32_t from = (int32_t)split * size, to = from + size;
            if (tile.key_begin < from) tile.key_begin = from;
            if (tile.key_end > to) tile.key_end = to;
            if (tile.key_end < tile.key_begin) tile.key_end = tile.key_begin;
        }
        const int64_t state = is_few(shape) ? item : thread;
        tile.scratch = job->scratch + thread * ck_attention_scratch(shape, plan->rows);
        tile.maximum = maxima(job, state);
        tile.sum = sums(job, state);
        tile.weighted = weighted(job, state);
        ck_table()->attention(&tile);

        if (splits > 1) {
            const int32_t done =
                __atomic_add_fetch(&job->finished[tile_index], 1, __ATOMIC_ACQ_REL);
            if (done < splits) continue;
        }
        const int64_t rows = (int64_t)(tile.token_end - tile.token_begin) * plan->group;
        for (int64_t row = 0; row < rows; row++) {
            const int64_t t = tile.token_begin + row / plan->group;
            const int64_t h = (int64_t)tile.kv_head * plan->group + row % plan->group;
            merge_row(job, state - split, splits, row, t * shape->heads + h);
        }
    }
}

static ck_status_t validate(const ck_attention_shape_t* shape) {
    if (shape->tokens < 0 || shape->past < 0 || shape->heads < 0 || shape->kv_heads < 0 ||
        shape->head_dim < 0) {
        return CK_BAD_SHAPE;
    }
    if (shape->heads > 0 && (shape->kv_heads == 0 || shape->heads % shape->kv_heads != 0)) {
        return CK_BAD_SHAPE;
    }
    const int64_t keys = (int64_t)shape->past + shape->tokens;
    if (keys > INT32_MAX) return CK_BAD_SHAPE;
    for (int32_t t = 0; t < shape->tokens; t++) {
        int32_t first, end;
        ck_visible_keys(shape, t, &first, &end);
        if (first < 0 || end > keys) return CK_BAD_INDEX;
    }
    return CK_OK;
}

static bool is_empty(const ck_attention_shape_t* shape) {
    return shape->tokens <= 0 || shape->heads <= 0 || shape->kv_heads <= 0 || shape->head_dim <= 0;
}

/* Bytes of the splits' counters. */
static size_t counter_bytes(const ck_attention_shape_t* shape, const plan_t* plan) {
    return (size_t)ck_round_up((int64_t)shape->kv_heads * plan->tiles, 16) * sizeof(int32_t);
}

size_t ck_attention_workspace(const ck_attention_shape_t* shape) {
    if (is_empty(shape)) return 0;
    /* For the whole capacity, so that the answer stays the same while the cache fills up. */
    const plan_t plan = plan_for(shape, shape->capacity);
    const int64_t floats = ck_threads() * ck_attention_scratch(shape, plan.rows) +
                           state_count(shape, &plan) * plan.state;
    return counter_bytes(shape, &plan) + (size_t)floats * sizeof(float);
}

ck_status_t ck_attention(const ck_attention_shape_t* shape, const float* q, ck_cache_t cache,
                         float* out, float* log_sum, void* workspace, size_t workspace_bytes) {
    const ck_status_t status = validate(shape);
    if (status != CK_OK) return status;
    if ((int64_t)shape->past + shape->tokens > shape->capacity) return CK_BAD_SHAPE;
    if (!ck_cache_number_bytes(cache.format)) return CK_BAD_FORMAT;
    if (cache.format != CK_CACHE_F32 && shape->head_dim > CK_WIDEST_INTEGER_ROW) {
        return CK_BAD_SHAPE;
    }
    if (is_empty(shape)) return CK_OK;
    if (workspace_bytes < ck_attention_workspace(shape) || (uintptr_t)workspace % 64 != 0) {
        return CK_BAD_WORKSPACE;
    }
    attention_job_t job = {.shape = shape,
                           .plan = plan_for(shape, (int64_t)shape->past + shape->tokens),
                           .q = q,
                           .cache = cache,
                           .out = out,
                           .log_sum = log_sum,
                           .finished = workspace};
    job.scratch = (float*)((char*)workspace + counter_bytes(shape, &job.plan));
    job.states = job.scratch + ck_threads() * ck_attention_scratch(shape, job.plan.rows);
    memset(job.finished, 0, counter_bytes(shape, &job.plan));
    const int64_t items = (int64_t)shape->kv_heads * job.plan.tiles * job.plan.splits;
    ck_parallel_dynamic(items, 1, attention_item, &job);
    return CK_OK;
}

/* ---- Backward ------------------------------------------------------------------------------- */

typedef struct {
    ck_attention_head_t head;     /* without head, scratch, dk, dv */
    float* scratch;               /* per thread */
    float *dk_shares, *dv_shares; /* [heads, tokens, head_dim] */
    float *dk, *dv;
} backward_job_t;

static void backward_heads(void* context, int64_t begin, int64_t end, int32_t thread) {
    const backward_job_t* job = context;
    ck_attention_head_t head = job->head;
    const int64_t size = (int64_t)head.shape->tokens * head.shape->head_dim;
    head.scratch = job->scratch + thread * ck_attention_backward_scratch(head.shape);
    for (int64_t h = begin; h < end; h++) {
        head.head = (int32_t)h;
        head.dk = job->dk_shares + h * size;
        head.dv = job->dv_shares + h * size;
        ck_table()->attention_backward(&head);
    }
}

/* dk and dv of tokens begin ..< end: the sum over the heads of each group, in their order. */
static void sum_shares(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    const backward_job_t* job = context;
    const ck_attention_shape_t* shape = job->head.shape;
    const int64_t width = shape->head_dim, group = shape->heads / shape->kv_heads;
    for (int64_t t = begin; t < end; t++) {
        for (int64_t kv = 0; kv < shape->kv_heads; kv++) {
            float* dk = job->dk + (t * shape->kv_heads + kv) * width;
            float* dv = job->dv + (t * shape->kv_heads + kv) * width;
            memset(dk, 0, (size_t)width * sizeof *dk);
            memset(dv, 0, (size_t)width * sizeof *dv);
            for (int64_t h = kv * group; h < (kv + 1) * group; h++) {
                const int64_t at = (h * shape->tokens + t) * width;
                for (int64_t i = 0; i < width; i++) dk[i] += job->dk_shares[at + i];
                for (int64_t i = 0; i < width; i++) dv[i] += job->dv_shares[at + i];
            }
        }
    }
}

/* Floats of one gradient's shares. */
static int64_t share_size(const ck_attention_shape_t* shape) {
    return ck_round_up((int64_t)shape->heads * shape->tokens * shape->head_dim, 16);
}

size_t ck_attention_backward_workspace(const ck_attention_shape_t* shape) {
    if (is_empty(shape)) return 0;
    const int64_t floats =
        ck_threads() * ck_attention_backward_scratch(shape) + 2 * share_size(shape);
    return (size_t)floats * sizeof(float);
}

ck_status_t ck_attention_backward(const ck_attention_shape_t* shape, const float* q, const float* k,
                                  const float* v, const float* out, const float* log_sum,
                                  const float* dout, float* dq, float* dk, float* dv,
                                  void* workspace, size_t workspace_bytes) {
    const ck_status_t status = validate(shape);
    if (status != CK_OK) return status;
    if (shape->past != 0) return CK_BAD_SHAPE;
    if (is_empty(shape)) return CK_OK;
    if (workspace_bytes < ck_attention_backward_workspace(shape) ||
        (uintptr_t)workspace % 64 != 0) {
        return CK_BAD_WORKSPACE;
    }
    backward_job_t job = {.head = {.shape = shape,
                                   .q = q,
                                   .k = k,
                                   .v = v,
                                   .out = out,
                                   .log_sum = log_sum,
                                   .dout = dout,
                                   .dq = dq},
                          .scratch = workspace,
                          .dk = dk,
                          .dv = dv};
    job.dk_shares = job.scratch + ck_threads() * ck_attention_backward_scratch(shape);
    job.dv_shares = job.dk_shares + share_size(shape);
    ck_parallel_dynamic(shape->heads, 1, backward_heads, &job);
    ck_parallel(shape->tokens, 16, sum_shares, &job);
    return CK_OK;
}
