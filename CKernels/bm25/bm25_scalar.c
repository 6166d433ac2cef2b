/* BM25 of exchange i in its neighbourhood, and of each side alone. For a term of information v that
 * was said u times by the user and o times by the other side, with b and a times in the exchanges
 * before and after:
 *
 *   f = u + o + previous·b + following·a
 *   whole += v (k + 1) f / (f + constant + per_context_word·words)
 *   user  += v (k + 1) u / (u + constant + per_side_word·words); other: as user
 *   coverage += v, where u + o + b + a > 0
 *
 * counts [terms, count + 2], sums [4, count] = whole, user, other, coverage. */
#include "selection/table.h"

static float larger(float a, float b) { return a > b ? a : b; }

void ck_bm25_scalar(const ck_bm25_job_t* job, int64_t begin, int64_t end, float best[3]) {
    const ck_bm25_t* options = job->options;
    const ck_exchanges_t* all = job->exchanges;
    const int64_t count = all->count;
    float *whole = job->sums, *user = whole + count, *other = user + count,
          *coverage = other + count;
    for (int part = 0; part < 3; part++) best[part] = 0;
    for (int64_t i = begin; i < end; i++) {
        const int plain = all->links[i] & CK_LINK_PLAIN;
        if (!job->adds || !plain) whole[i] = user[i] = other[i] = coverage[i] = 0;
        if (!plain) continue;
        const float of_whole =
            options->constant + options->per_context_word * all->context_words[i];
        const float of_user = options->constant + options->per_side_word * all->user_words[i];
        const float of_other = options->constant + options->per_side_word * all->other_words[i];
        for (int32_t t = 0; t < job->terms; t++) {
            const uint8_t* at = job->counts + t * (count + 2) + i + 1;
            const int own = at[0];
            const int before = all->links[i] & CK_LINK_PREVIOUS ? at[-1] : 0;
            const int after = all->links[i] & CK_LINK_NEXT ? at[1] : 0;
            if ((own | before | after) == 0) continue;
            const float u = (float)(own >> 4), o = (float)(own & 15);
            const float f = u + o + options->previous * (float)((before >> 4) + (before & 15)) +
                            options->following * (float)((after >> 4) + (after & 15));
            const float scale = job->information[t] * (options->saturation + 1);
            whole[i] += scale * f / (f + of_whole);
            user[i] += scale * u / (u + of_user);
            other[i] += scale * o / (o + of_other);
            coverage[i] += job->information[t];
        }
        const int side = all->sides[i];
        best[0] = larger(best[0], whole[i]);
        best[1] = larger(best[1], side > 0   ? user[i]
                                  : side < 0 ? other[i]
                                             : larger(user[i], other[i]));
        best[2] = larger(best[2], side > 0   ? other[i]
                                  : side < 0 ? user[i]
                                             : -larger(-user[i], -other[i]));
    }
}
