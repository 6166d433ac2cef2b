/* The score of exchange i, a linear model over BM25 sums and cosines, here and of its neighbours:
 *
 *   whole·sum + asked·(sum of the side asked about) + other·(sum of the other) + coverage·sum
 *   + names_time, where the side asked about (either, where neither is) names a time
 *   + asked_near·n + other_near·n' + previous_user·p + previous_other·p' + following·(q + q')/2
 *
 * with cosines n, n' of the side asked about and of the other, p, p' of the exchange before and q,
 * q' of the one after; where there is none, absent·(n + n')/2 stands for each. sums [4, count],
 * near_user, near_other [count + 2]. */
#include <math.h>

#include "selection/table.h"

/* Of both values, that of the side asked about first; the larger where neither is asked about. */
static void by_side(int side, float* asked, float* other) {
    if (side > 0 || (side == 0 && *asked > *other)) return;
    const float user = *asked;
    *asked = *other;
    *other = user;
}

float ck_fuse_scores_scalar(const ck_fuse_scores_job_t* job, int64_t begin, int64_t end) {
    const ck_fusion_t* w = job->weights;
    const ck_exchanges_t* all = job->exchanges;
    const float *whole = job->sums, *user = whole + all->count, *other = user + all->count,
                *coverage = other + all->count;
    float highest = -INFINITY;
    for (int64_t i = begin; i < end; i++) {
        job->scores[i] = -INFINITY;
        if (!(all->links[i] & CK_LINK_PLAIN)) continue;
        const float *near_user = job->near_user + i + 1, *near_other = job->near_other + i + 1;
        const float absent = (near_user[0] + near_other[0]) / 2 * w->absent;
        const int before = all->links[i] & CK_LINK_PREVIOUS, after = all->links[i] & CK_LINK_NEXT;
        float said = user[i], rest = other[i], near = near_user[0], far = near_other[0];
        by_side(all->sides[i], &said, &rest);
        by_side(all->sides[i], &near, &far);
        const int names = all->sides[i] > 0   ? CK_USER_NAMES_TIME
                          : all->sides[i] < 0 ? CK_OTHER_NAMES_TIME
                                              : CK_USER_NAMES_TIME | CK_OTHER_NAMES_TIME;
        job->scores[i] = w->whole * whole[i] + w->asked * said + w->other * rest +
                         w->coverage * coverage[i] + w->asked_near * near + w->other_near * far +
                         w->previous_user * (before ? near_user[-1] : absent) +
                         w->previous_other * (before ? near_other[-1] : absent) +
                         w->following / 2 * (after ? near_user[1] + near_other[1] : 2 * absent) +
                         (all->links[i] & names ? w->names_time : 0);
        if (job->scores[i] > highest) highest = job->scores[i];
    }
    return highest;
}
