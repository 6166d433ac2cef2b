/* The loop of the vector variants; bm25_scalar.c has the formula. Exchanges are taken 64 at a time
 * and terms one by one: a neighbour's count is the byte beside, a term that none of the 64 has
 * costs one look, and what is left has no branches. Limit: three divisions for each exchange and
 * term. */
#ifndef CK_BM25_LOOP_H
#define CK_BM25_LOOP_H

#include <stdint.h>

#include "selection/table.h"

enum { BM25_LANES = 64 };

/* What a tile of exchanges comes to. */
typedef struct {
    float whole[BM25_LANES], user[BM25_LANES], other[BM25_LANES], coverage[BM25_LANES];
} bm25_tile_t;

/* Whether any of count bytes is set. */
static inline int bm25_any(const uint8_t* bytes, int64_t count) {
    uint8_t any = 0;
    for (int64_t i = 0; i < count; i++) any |= bytes[i];
    return any != 0;
}

/* Sums of the exchanges first ..< first + n, n at most 64. */
static inline __attribute__((always_inline)) void bm25_sum(const ck_bm25_job_t* job, int64_t first,
                                                           int64_t n, bm25_tile_t* tile) {
#pragma clang fp contract(fast)
    const ck_bm25_t options = *job->options;
    const ck_exchanges_t* all = job->exchanges;
    const uint8_t* links = all->links + first;
    uint8_t has_before[BM25_LANES], has_after[BM25_LANES];
    float of_whole[BM25_LANES], of_user[BM25_LANES], of_other[BM25_LANES];
    for (int64_t i = 0; i < n; i++) {
        has_before[i] = links[i] & CK_LINK_PREVIOUS ? 0xff : 0;
        has_after[i] = links[i] & CK_LINK_NEXT ? 0xff : 0;
    }
    for (int64_t i = 0; i < n; i++) {
        of_whole[i] = options.constant + options.per_context_word * all->context_words[first + i];
        of_user[i] = options.constant + options.per_side_word * (float)all->user_words[first + i];
        of_other[i] = options.constant + options.per_side_word * (float)all->other_words[first + i];
    }
    for (int32_t t = 0; t < job->terms; t++) {
        const uint8_t* counts = job->counts + t * (all->count + 2) + first;
        if (!bm25_any(counts, n + 2)) continue;
        const float information = job->information[t];
        const float scale = information * (options.saturation + 1);
        for (int64_t i = 0; i < n; i++) {
            const uint8_t before = counts[i] & has_before[i], own = counts[i + 1],
                          after = counts[i + 2] & has_after[i];
            const float u = (float)(own >> 4), o = (float)(own & 15);
            const float b = (float)((before >> 4) + (before & 15));
            const float a = (float)((after >> 4) + (after & 15));
            const float f = u + o + options.previous * b + options.following * a;
            tile->whole[i] += scale * f / (f + of_whole[i]);
            tile->user[i] += scale * u / (u + of_user[i]);
            tile->other[i] += scale * o / (o + of_other[i]);
            tile->coverage[i] += (own | before | after) != 0 ? information : 0;
        }
    }
}

static inline __attribute__((always_inline)) void bm25_tile(const ck_bm25_job_t* job, int64_t first,
                                                            int64_t n, float best[3][BM25_LANES]) {
    const ck_exchanges_t* all = job->exchanges;
    const int64_t count = all->count;
    float *whole = job->sums + first, *user = whole + count, *other = user + count,
          *coverage = other + count;
    bm25_tile_t tile = {{0}, {0}, {0}, {0}};
    bm25_sum(job, first, n, &tile);
    if (job->adds) {
        for (int64_t i = 0; i < n; i++) {
            tile.whole[i] += whole[i];
            tile.user[i] += user[i];
            tile.other[i] += other[i];
            tile.coverage[i] += coverage[i];
        }
    }
    for (int64_t i = 0; i < n; i++) {
        const int plain = all->links[first + i] & CK_LINK_PLAIN;
        const float w = plain ? tile.whole[i] : 0, u = plain ? tile.user[i] : 0;
        const float o = plain ? tile.other[i] : 0;
        whole[i] = w;
        user[i] = u;
        other[i] = o;
        coverage[i] = plain ? tile.coverage[i] : 0;
        const int side = all->sides[first + i];
        const float high = u > o ? u : o, low = u > o ? o : u;
        const float asked = side > 0 ? u : side < 0 ? o : high;
        const float rest = side > 0 ? o : side < 0 ? u : low;
        best[0][i] = w > best[0][i] ? w : best[0][i];
        best[1][i] = asked > best[1][i] ? asked : best[1][i];
        best[2][i] = rest > best[2][i] ? rest : best[2][i];
    }
}

static inline __attribute__((always_inline)) void bm25_loop(const ck_bm25_job_t* job, int64_t begin,
                                                            int64_t end, float best[3]) {
    float lanes[3][BM25_LANES] = {{0}, {0}, {0}};
    int64_t first = begin;
    for (; first + BM25_LANES <= end; first += BM25_LANES) bm25_tile(job, first, BM25_LANES, lanes);
    if (first < end) bm25_tile(job, first, end - first, lanes);
    for (int part = 0; part < 3; part++) {
        best[part] = 0;
        for (int i = 0; i < BM25_LANES; i++) {
            best[part] = lanes[part][i] > best[part] ? lanes[part][i] : best[part];
        }
    }
}

#endif
