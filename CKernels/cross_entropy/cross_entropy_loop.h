/* The loop of the vector variants. logits, gradient [tokens, vocabulary]; targets, losses [tokens];
 * the formula is in cross_entropy_scalar.c.
 * Limit: a row (200 KB to 500 KB) is read three times out of L2: for its maximum, for the
 * exponentials, which go to `gradient`, and to scale those. Sums are kept in f32 over 1024 numbers
 * and in double beyond. The last, incomplete vector of a row is padded with -Inf. */
#ifndef CK_CROSS_ENTROPY_LOOP_H
#define CK_CROSS_ENTROPY_LOOP_H

#include <math.h>

#include "math/vector.h"

enum { BLOCK = 1024 };

/* The largest of a row; NaN is passed over, the exponentials will find it. */
static inline float row_max(const float* row, int64_t count) {
    const vec_t lowest = vec_of(-INFINITY);
    vec_t high[4] = {lowest, lowest, lowest, lowest};
    int64_t v = 0;
    for (; v + 4 * CK_LANES <= count; v += 4 * CK_LANES) {
        for (int j = 0; j < 4; j++) high[j] = vec_max(vec_load(row + v + CK_LANES * j), high[j]);
    }
    for (; v < count; v += CK_LANES) {
        high[0] = vec_max(vec_load_part(row + v, count - v, -INFINITY), high[0]);
    }
    return vec_highest(vec_max(vec_max(high[0], high[1]), vec_max(high[2], high[3])));
}

/* Σ e^(row - max); out: NULL, or receives the terms. */
static inline double row_exponentials(const float* row, int64_t count, float max, float* out) {
    double sum = 0;
    for (int64_t begin = 0; begin < count; begin += BLOCK) {
        const int64_t end = begin + BLOCK < count ? begin + BLOCK : count;
        vec_t sums[2] = {vec_of(0), vec_of(0)};
        int64_t v = begin;
        for (; v + 2 * CK_LANES <= end; v += 2 * CK_LANES) {
#pragma clang loop unroll(full)
            for (int j = 0; j < 2; j++) {
                const vec_t e = vec_exp(vec_load(row + v + CK_LANES * j) - max);
                sums[j] += e;
                if (out) vec_store(out + v + CK_LANES * j, e);
            }
        }
        for (; v < end; v += CK_LANES) {
            const vec_t e = vec_exp(vec_load_part(row + v, end - v, -INFINITY) - max);
            sums[0] += e;
            if (out) vec_store_part(out + v, end - v, e);
        }
        sum += vec_sum(sums[0] + sums[1]);
    }
    return sum;
}

static inline void cross_entropy_loop(const float* logits, const int32_t* targets, int64_t begin,
                                      int64_t end, int32_t vocabulary, float row_scale,
                                      float* losses, float* gradient) {
    for (int64_t t = begin; t < end; t++) {
        const float* row = logits + t * vocabulary;
        float* out = gradient ? gradient + t * vocabulary : NULL;
        const float target = row[targets[t]], max = row_max(row, vocabulary);
        const double sum = row_exponentials(row, vocabulary, max, out);
        losses[t] = (float)(max + log(sum) - target);
        if (!out) continue;
        const float factor = (float)(row_scale / sum);
        for (int64_t v = 0; v < vocabulary; v++) out[v] *= factor;
        out[targets[t]] -= row_scale;
    }
}

#endif
