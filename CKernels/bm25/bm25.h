#ifndef CK_BM25_H
#define CK_BM25_H

#include <stdbool.h>
#include <stdint.h>

#include "CKernels.h"

/* The operands of ck_bm25. */
typedef struct {
    const ck_bm25_t* options;
    const uint8_t* counts;
    const float* information;
    int32_t terms;
    const ck_exchanges_t* exchanges;
    bool adds;
    float* sums;
} ck_bm25_job_t;

/* Exchanges begin ..< end of ck_bm25; `best` is that of this range, at least 0. */
typedef void ck_bm25_fn(const ck_bm25_job_t* job, int64_t begin, int64_t end, float best[3]);

#endif
