/* x = words[0] ^ words[1] ^ …; words [count]. So little arithmetic that the time is the memory's.
 * Limit: memory bandwidth. One stream in order is what prefetchers are built for; several at once
 * measured no faster, and far slower where they lie a power of two apart. No variants: the
 * baseline's vectors keep up with any memory. */
#include <stdatomic.h>

#include "CKernels.h"
#include "parallel/parallel.h"

enum { LINE = 8 /* words of a cache line */ };

typedef uint64_t pair_t __attribute__((vector_size(16), aligned(8)));

typedef struct {
    const uint64_t* words;
    _Atomic uint64_t sum;
} read_words_job_t;

static uint64_t read_range(const uint64_t* words, int64_t count) {
    const int64_t lines = count / LINE * LINE;
    pair_t sum = {0, 0};
    for (int64_t i = 0; i < lines; i += LINE) {
        const pair_t* line = (const pair_t*)(words + i);
        sum ^= (line[0] ^ line[1]) ^ (line[2] ^ line[3]);
    }
    uint64_t rest = 0;
    for (int64_t i = lines; i < count; i++) rest ^= words[i];
    return sum[0] ^ sum[1] ^ rest;
}

static void read_words_range(void* context, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    read_words_job_t* job = context;
    atomic_fetch_xor(&job->sum, read_range(job->words + begin, end - begin));
}

uint64_t ck_read_words(const uint64_t* words, int64_t count) {
    read_words_job_t job = {.words = words};
    ck_parallel(count, LINE, read_words_range, &job);
    return job.sum;
}
