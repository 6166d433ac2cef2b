/* Exact vector search: validation and partition. */
#include <string.h>

#include "CKernels.h"
#include "parallel/parallel.h"
#include "selection/table.h"

typedef struct {
    const float *vectors, *query;
    int32_t width;
    float* scores;
} dot_rows_job_t;

static void dot_rows_range(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    const dot_rows_job_t* job = context;
    ck_table()->dot_rows(job->vectors, job->query, begin, end, job->width, job->scores);
}

ck_status_t ck_dot_rows(const float* vectors, const float* query, int64_t count, int32_t width,
                        float* scores) {
    if (count < 0 || width < 0) return CK_BAD_SHAPE;
    dot_rows_job_t job = {vectors, query, width, scores};
    ck_parallel(count, 64, dot_rows_range, &job);
    return CK_OK;
}

typedef struct {
    const int8_t *vectors, *query;
    const float* scales;
    float query_scale;
    int32_t width;
    float* scores;
} dot_rows_int8_job_t;

static void dot_rows_int8_range(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    const dot_rows_int8_job_t* job = context;
    ck_table()->dot_rows_int8(job->vectors, job->scales, job->query, job->query_scale, begin, end,
                              job->width, job->scores);
}

ck_status_t ck_dot_rows_int8(const int8_t* vectors, const float* scales, const int8_t* query,
                             float query_scale, int64_t count, int32_t width, float* scores) {
    if (count < 0 || width < 0 || width > CK_DOT_ROWS_INT8_WIDTH) return CK_BAD_SHAPE;
    dot_rows_int8_job_t job = {vectors, query, scales, query_scale, width, scores};
    ck_parallel(count, 256, dot_rows_int8_range, &job);
    return CK_OK;
}

typedef struct {
    const uint8_t *rows, *query;
    const float* scales;
    float query_scale;
    int32_t query_sum, words;
    int64_t count;
    float* scores;
} dot_rows_bits_job_t;

static void dot_rows_bits_range(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    const dot_rows_bits_job_t* job = context;
    ck_table()->dot_rows_bits(job->rows, job->scales, job->query, job->query_scale, job->query_sum,
                              begin, end, job->count, job->words, job->scores);
}

/* Σ_j query[j] of a query in four planes. */
static int32_t bits_sum(const uint8_t* query, int32_t words) {
    static const int32_t weights[4] = {1, 2, 4, -8};
    int32_t sum = 0;
    for (int32_t i = 0; i < 4 * words; i++) {
        uint64_t word;
        memcpy(&word, query + i * 8, sizeof word);
        sum += weights[i / words] * __builtin_popcountll(word);
    }
    return sum;
}

ck_status_t ck_dot_rows_bits(const uint8_t* rows, const float* scales, const uint8_t* query,
                             float query_scale, int64_t count, int32_t width, float* scores) {
    if (count < 0 || width < 0 || width > CK_DOT_ROWS_INT8_WIDTH) return CK_BAD_SHAPE;
    const int32_t words = (width + 63) / 64;
    dot_rows_bits_job_t job = {rows,  query, scales, query_scale, bits_sum(query, words),
                               words, count, scores};
    ck_parallel((count + 7) / 8, 128, dot_rows_bits_range, &job);
    return CK_OK;
}
