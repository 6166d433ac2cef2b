/* The loop of the vector variants; fuse_scores_scalar.c has the formula. 64 exchanges at a time, a
 * lane each, without branches: neighbours are loads one element to the side. Limit: memory
 * bandwidth. */
#ifndef CK_FUSE_SCORES_LOOP_H
#define CK_FUSE_SCORES_LOOP_H

#include <math.h>
#include <stdint.h>

#include "selection/table.h"

enum { FUSE_LANES = 64 };

static inline __attribute__((always_inline)) void fuse_tile(const ck_fuse_scores_job_t* job,
                                                            int64_t first, int64_t n,
                                                            float highest[FUSE_LANES]) {
#pragma clang fp contract(fast)
    const ck_fusion_t w = *job->weights;
    const ck_exchanges_t* all = job->exchanges;
    const float *whole = job->sums + first, *user = whole + all->count, *other = user + all->count,
                *coverage = other + all->count;
    const float *near_user = job->near_user + first, *near_other = job->near_other + first;
    const uint8_t* links = all->links + first;
    const int8_t* sides = all->sides + first;
    float* scores = job->scores + first;
    for (int64_t i = 0; i < n; i++) {
        const int side = sides[i];
        const float u = user[i], o = other[i];
        const float high = u > o ? u : o, low = u > o ? o : u;
        const float said = side > 0 ? u : side < 0 ? o : high;
        const float rest = side > 0 ? o : side < 0 ? u : low;
        const float nu = near_user[i + 1], no = near_other[i + 1];
        const float near_high = nu > no ? nu : no, near_low = nu > no ? no : nu;
        const float near = side > 0 ? nu : side < 0 ? no : near_high;
        const float far = side > 0 ? no : side < 0 ? nu : near_low;
        const float absent = (nu + no) / 2 * w.absent;
        const float before_user = near_user[i], before_other = near_other[i];
        const float after = near_user[i + 2] + near_other[i + 2];
        const int has_before = links[i] & CK_LINK_PREVIOUS, has_after = links[i] & CK_LINK_NEXT;
        const int names = side > 0   ? CK_USER_NAMES_TIME
                          : side < 0 ? CK_OTHER_NAMES_TIME
                                     : CK_USER_NAMES_TIME | CK_OTHER_NAMES_TIME;
        const float score = w.whole * whole[i] + w.asked * said + w.other * rest +
                            w.coverage * coverage[i] + w.asked_near * near + w.other_near * far +
                            w.previous_user * (has_before ? before_user : absent) +
                            w.previous_other * (has_before ? before_other : absent) +
                            w.following / 2 * (has_after ? after : 2 * absent) +
                            (links[i] & names ? w.names_time : 0);
        const float kept = links[i] & CK_LINK_PLAIN ? score : -INFINITY;
        scores[i] = kept;
        highest[i] = kept > highest[i] ? kept : highest[i];
    }
}

static inline __attribute__((always_inline)) float fuse_scores_loop(const ck_fuse_scores_job_t* job,
                                                                    int64_t begin, int64_t end) {
    float lanes[FUSE_LANES];
    for (int i = 0; i < FUSE_LANES; i++) lanes[i] = -INFINITY;
    int64_t first = begin;
    for (; first + FUSE_LANES <= end; first += FUSE_LANES) fuse_tile(job, first, FUSE_LANES, lanes);
    if (first < end) fuse_tile(job, first, end - first, lanes);
    float highest = -INFINITY;
    for (int i = 0; i < FUSE_LANES; i++) highest = lanes[i] > highest ? lanes[i] : highest;
    return highest;
}

#endif
