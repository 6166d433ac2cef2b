/* out[t, h] = Σ_s softmax_s(scale * q[t, h]·k[s]) v[s], online over blocks of 64 keys.
 * q, out [tokens, heads, head_dim]; caches [kv_heads, capacity, head_dim] f32 or f16.
 * Many queries (prefill, training): FMA throughput. A block of keys is widened and transposed once for
 * all queries of a block and all heads of a group, then both products are 6 × 64 register tiles.
 * Few queries (decode): cache bandwidth. Every key and value row is read and widened once for all heads of
 * its group (four at a time), sixteen dot products are summed by one tree. Heads that are no multiple of 16 wide take the scalar variant. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "attention/attention.h"
#include "dispatch/dispatch.h"

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,f16c"))), apply_to = function)

#include "math/vector_avx512.h"

enum { ROWS = 6, KEYS = CK_KEY_BLOCK, CHUNK = 256, GROUP = 4, COLUMNS = 4, AHEAD = 16 };

static inline __m512 load_cache(ck_cache_t c, size_t at) {
    return c.dtype == CK_F32
               ? _mm512_loadu_ps((const float*)c.data + at)
               : _mm512_cvtph_ps(_mm256_loadu_si256((const void*)((const uint16_t*)c.data + at)));
}

/* Where key s of the tile's KV head begins in a cache. */
static inline size_t cache_at(const ck_attention_tile_t* a, int32_t s) {
    return ((size_t)a->kv_head * a->shape->capacity + s) * a->shape->head_dim;
}

/* Asks for the `width` numbers at `at`, which will be wanted soon. */
static inline void prefetch(ck_cache_t c, size_t at, int32_t width) {
    const size_t size = c.dtype == CK_F32 ? 4 : 2;
    const char* row = (const char*)c.data + at * size;
    for (size_t byte = 0; byte < size * (size_t)width; byte += 64) {
        _mm_prefetch(row + byte, _MM_HINT_T0);
    }
}

static inline const float* query_row(const ck_attention_tile_t* a, int32_t row) {
    const int32_t group = a->shape->heads / a->shape->kv_heads;
    const int32_t t = a->token_begin + row / group, h = a->kv_head * group + row % group;
    return a->q + ((size_t)t * a->shape->heads + h) * a->shape->head_dim;
}

/* ---- Many queries -------------------------------------------------------------------------- */

/* c[r, 0 ..< 64] (+)= Σ_i a[r, i] * b[i, 0 ..< 64] for `rows` <= 6 rows; strides in floats. */
static inline __attribute__((always_inline)) void product(int rows, const float* const* a,
                                                          const float* b, int32_t b_stride,
                                                          int32_t count, float* const* c,
                                                          int vectors, bool accumulate) {
    __m512 sums[ROWS][4];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) {
            sums[r][j] = accumulate ? _mm512_loadu_ps(c[r] + 16 * j) : _mm512_setzero_ps();
        }
    }
    for (int32_t i = 0; i < count; i++) {
        __m512 row[4];
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++)
            row[j] = _mm512_loadu_ps(b + (size_t)i * b_stride + 16 * j);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            const __m512 v = _mm512_set1_ps(a[r][i]);
#pragma clang loop unroll(full)
            for (int j = 0; j < vectors; j++) sums[r][j] = _mm512_fmadd_ps(v, row[j], sums[r][j]);
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) _mm512_storeu_ps(c[r] + 16 * j, sums[r][j]);
    }
}

static void product6x64(const float* const* a, const float* b, int32_t stride, int32_t count,
                        float* const* c, bool accumulate) {
    product(6, a, b, stride, count, c, 4, accumulate);
}
static void product1x64(const float* const* a, const float* b, int32_t stride, int32_t count,
                        float* const* c, bool accumulate) {
    product(1, a, b, stride, count, c, 4, accumulate);
}
static void product1x16(const float* const* a, const float* b, int32_t stride, int32_t count,
                        float* const* c, bool accumulate) {
    product(1, a, b, stride, count, c, 1, accumulate);
}

/* c[r, 0 ..< width] (+)= Σ_i a[r, i] b[i, 0 ..< width]; rows of a and c lie a_stride, c_stride apart
 * unless a_rows names them. */
static void multiply(int32_t rows, const float* const* a, const float* b, int32_t b_stride,
                     int32_t count, float* c, int32_t c_stride, int32_t width, bool accumulate) {
    for (int32_t column = 0; column < width;) {
        const int32_t wide = width - column >= 64 ? 64 : 16;
        for (int32_t r = 0; r < rows;) {
            float* to[ROWS];
            for (int i = 0; i < ROWS; i++) to[i] = c + (size_t)(r + i) * c_stride + column;
            if (wide == 64 && rows - r >= ROWS) {
                product6x64(a + r, b + column, b_stride, count, to, accumulate);
                r += ROWS;
            } else {
                (wide == 64 ? product1x64 : product1x16)(a + r, b + column, b_stride, count, to,
                                                         accumulate);
                r++;
            }
        }
        column += wide;
    }
}

/* Keys s ..< s + count as [head_dim][64], the rest zeros. */
static void load_keys(const ck_attention_tile_t* a, int32_t s, int32_t count, float* out) {
    const ck_attention_shape_t* p = a->shape;
    for (int32_t j = 0; j < KEYS; j += 16) {
        for (int32_t d = 0; d < p->head_dim; d += 16) {
            __m512 square[16];
            for (int i = 0; i < 16; i++) {
                const size_t at = cache_at(a, s + j + i) + d;
                square[i] = j + i < count ? load_cache(a->keys, at) : _mm512_setzero_ps();
            }
            transpose16(square);
            for (int i = 0; i < 16; i++)
                _mm512_storeu_ps(out + (size_t)(d + i) * KEYS + j, square[i]);
        }
    }
}

static void load_values(const ck_attention_tile_t* a, int32_t s, int32_t count, float* out) {
    const ck_attention_shape_t* p = a->shape;
    for (int32_t j = 0; j < KEYS; j++) {
        for (int32_t d = 0; d < p->head_dim; d += 16) {
            const size_t at = cache_at(a, s + j) + d;
            _mm512_storeu_ps(out + (size_t)j * p->head_dim + d,
                             j < count ? load_cache(a->values, at) : _mm512_setzero_ps());
        }
    }
}

/* Turns scores[0 ..< 64] into e^(s - m) for keys from ..< to of the block, 0 elsewhere; updates the row's
 * maximum and sum, and returns the factor for what was summed before. */
static inline float soften(float* scores, float scale, int32_t from, int32_t to, float* most,
                           float* sum) {
    __m512 v[4], high = _mm512_set1_ps(-INFINITY);
    __mmask16 seen[4];
    for (int j = 0; j < 4; j++) {
        const int32_t low = from - 16 * j, up = to - 16 * j;
        const uint32_t below = up >= 16 ? 0xffff : up > 0 ? (1u << up) - 1 : 0;
        const uint32_t before = low >= 16 ? 0xffff : low > 0 ? (1u << low) - 1 : 0;
        seen[j] = (__mmask16)(below & ~before);
        v[j] = _mm512_mul_ps(_mm512_loadu_ps(scores + 16 * j), _mm512_set1_ps(scale));
        high = _mm512_mask_max_ps(high, seen[j], high, v[j]);
    }
    const float block = _mm512_reduce_max_ps(high);
    const float m = block > *most ? block : *most;
    __m512 total = _mm512_setzero_ps();
    for (int j = 0; j < 4; j++) {
        const __m512 e =
            _mm512_maskz_mov_ps(seen[j], exp16(_mm512_sub_ps(v[j], _mm512_set1_ps(m))));
        total = _mm512_add_ps(total, e);
        _mm512_storeu_ps(scores + 16 * j, e);
    }
    const float factor = *most == m ? 1 : *most == -INFINITY ? 0 : expf(*most - m);
    *sum = *sum * factor + _mm512_reduce_add_ps(total);
    *most = m;
    return factor;
}

static inline void scale_row(float* row, int32_t dim, float factor) {
    for (int32_t d = 0; d < dim; d += 16) {
        _mm512_storeu_ps(row + d, _mm512_mul_ps(_mm512_loadu_ps(row + d), _mm512_set1_ps(factor)));
    }
}

static void attend_blocks(const ck_attention_tile_t* a) {
    const ck_attention_shape_t* p = a->shape;
    const int32_t dim = p->head_dim, group = p->heads / p->kv_heads;
    const int32_t rows = (a->token_end - a->token_begin) * group;
    float* keys = a->scratch;
    float* values = keys + (size_t)KEYS * dim;
    float* scores = values + (size_t)KEYS * dim;
    for (int32_t s = a->key_begin; s < a->key_end; s += KEYS) {
        const int32_t count = a->key_end - s < KEYS ? a->key_end - s : KEYS;
        load_keys(a, s, count, keys);
        load_values(a, s, count, values);
        for (int32_t r = 0; r < rows; r += ROWS * 8) {
            const float *q[ROWS * 8], *weights[ROWS * 8];
            const int32_t here = rows - r < ROWS * 8 ? rows - r : ROWS * 8;
            for (int32_t i = 0; i < here; i++) {
                q[i] = query_row(a, r + i);
                weights[i] = scores + (size_t)(r + i) * KEYS;
            }
            multiply(here, q, keys, KEYS, dim, scores + (size_t)r * KEYS, KEYS, KEYS, false);
            for (int32_t i = r; i < r + here; i++) {
                int32_t from, to;
                ck_visible_keys(p, a->token_begin + i / group, &from, &to);
                if (to > a->key_end) to = a->key_end;
                const float factor = soften(scores + (size_t)i * KEYS, p->scale, from - s, to - s,
                                            &a->maximum[i], &a->sum[i]);
                if (factor != 1) scale_row(a->weighted + (size_t)i * dim, dim, factor);
            }
            multiply(here, weights, values, dim, count, a->weighted + (size_t)r * dim, dim, dim,
                     true);
        }
    }
}

/* ---- Few queries --------------------------------------------------------------------------- */

/* scores[r][s - from] = scale * q_r·k[s] for keys from ..< to, at most CHUNK of them. A key is widened once
 * for all rows; four keys are at work together, so that additions do not wait for each other. */
static inline __attribute__((always_inline)) void score_keys(const ck_attention_tile_t* a, int rows,
                                                             const float* const* q, int32_t from,
                                                             int32_t to, float (*scores)[CHUNK]) {
    const ck_attention_shape_t* p = a->shape;
    const int32_t dim = p->head_dim;
    for (int32_t s = from; s < to; s += 16) {
        __m512 quads[GROUP][4];
#pragma clang loop unroll(full)
        for (int i = 0; i < 4; i++) {
            size_t at[4];
#pragma clang loop unroll(full)
            for (int j = 0; j < 4; j++) {
                at[j] = cache_at(a, s + 4 * i + j < to ? s + 4 * i + j : to - 1);
                prefetch(a->keys, at[j] + (size_t)AHEAD * dim, dim);
            }
            __m512 sums[GROUP][4];
#pragma clang loop unroll(full)
            for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
                for (int j = 0; j < 4; j++) sums[r][j] = _mm512_setzero_ps();
            }
            for (int32_t d = 0; d < dim; d += 16) {
                __m512 k[4];
#pragma clang loop unroll(full)
                for (int j = 0; j < 4; j++) k[j] = load_cache(a->keys, at[j] + d);
#pragma clang loop unroll(full)
                for (int r = 0; r < rows; r++) {
                    const __m512 query = _mm512_loadu_ps(q[r] + d);
#pragma clang loop unroll(full)
                    for (int j = 0; j < 4; j++)
                        sums[r][j] = _mm512_fmadd_ps(query, k[j], sums[r][j]);
                }
            }
#pragma clang loop unroll(full)
            for (int r = 0; r < rows; r++) quads[r][i] = quad_sums(sums[r]);
        }
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            _mm512_storeu_ps(scores[r] + (s - from),
                             _mm512_mul_ps(lane_sums(quads[r]), _mm512_set1_ps(p->scale)));
        }
    }
}

/* weighted_r[16 * first ..< 16 * (first + vectors)] = Σ_s scores[r][s - from] v[s]: rows * vectors sums side by
 * side hide the additions' latency. */
static inline __attribute__((always_inline)) void weigh_values(const ck_attention_tile_t* a,
                                                               int rows, int vectors, int32_t first,
                                                               int32_t row, int32_t from,
                                                               int32_t to, float (*scores)[CHUNK]) {
    const int32_t dim = a->shape->head_dim;
    __m512 sums[GROUP][COLUMNS];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) sums[r][j] = _mm512_setzero_ps();
    }
    for (int32_t s = from; s < to; s++) {
        const size_t at = cache_at(a, s) + 16 * (size_t)first;
        prefetch(a->values, at + (size_t)AHEAD * dim, 16 * vectors);
        __m512 v[COLUMNS];
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) v[j] = load_cache(a->values, at + 16 * (size_t)j);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            const __m512 weight = _mm512_set1_ps(scores[r][s - from]);
#pragma clang loop unroll(full)
            for (int j = 0; j < vectors; j++)
                sums[r][j] = _mm512_fmadd_ps(weight, v[j], sums[r][j]);
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
        float* out = a->weighted + (size_t)(row + r) * dim + 16 * (size_t)first;
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) _mm512_storeu_ps(out + 16 * j, sums[r][j]);
    }
}

/* scores[0 ..< count] become e^(s - m); m and their sum are written out. */
static void soften_row(float* scores, int32_t count, float* maximum, float* sum) {
    __m512 high = _mm512_set1_ps(-INFINITY), total = _mm512_setzero_ps();
    for (int32_t s = 0; s < count; s += 16) {
        const __mmask16 mask = (__mmask16)(count - s >= 16 ? 0xffff : (1 << (count - s)) - 1);
        high = _mm512_mask_max_ps(high, mask, high, _mm512_loadu_ps(scores + s));
    }
    const float most = _mm512_reduce_max_ps(high);
    for (int32_t s = 0; s < count; s += 16) {
        const __mmask16 mask = (__mmask16)(count - s >= 16 ? 0xffff : (1 << (count - s)) - 1);
        const __m512 e = _mm512_maskz_mov_ps(
            mask, exp16(_mm512_sub_ps(_mm512_loadu_ps(scores + s), _mm512_set1_ps(most))));
        _mm512_storeu_ps(scores + s, e);
        total = _mm512_add_ps(total, e);
    }
    *maximum = most;
    *sum = _mm512_reduce_add_ps(total);
}

/* `rows` heads of one token, from `row` on, against keys from ..< to, at most CHUNK of them. */
static inline __attribute__((always_inline)) void attend_rows(const ck_attention_tile_t* a,
                                                              int rows, int32_t row, int32_t from,
                                                              int32_t to) {
    float scores[GROUP][CHUNK];
    const float* q[GROUP];
    for (int r = 0; r < rows; r++) q[r] = query_row(a, row + r);
    score_keys(a, rows, q, from, to, scores);
    for (int r = 0; r < rows; r++) {
        soften_row(scores[r], to - from, &a->maximum[row + r], &a->sum[row + r]);
    }
    const int32_t vectors = a->shape->head_dim / 16;
    int32_t first = 0;
    for (; first + COLUMNS <= vectors; first += COLUMNS) {
        weigh_values(a, rows, COLUMNS, first, row, from, to, scores);
    }
    for (; first < vectors; first++) weigh_values(a, rows, 1, first, row, from, to, scores);
}

static void attend_1(const ck_attention_tile_t* a, int32_t row, int32_t from, int32_t to) {
    attend_rows(a, 1, row, from, to);
}
static void attend_2(const ck_attention_tile_t* a, int32_t row, int32_t from, int32_t to) {
    attend_rows(a, 2, row, from, to);
}
static void attend_3(const ck_attention_tile_t* a, int32_t row, int32_t from, int32_t to) {
    attend_rows(a, 3, row, from, to);
}
static void attend_4(const ck_attention_tile_t* a, int32_t row, int32_t from, int32_t to) {
    attend_rows(a, 4, row, from, to);
}

void ck_attention_avx512(const ck_attention_tile_t* a) {
    const ck_attention_shape_t* p = a->shape;
    if (p->head_dim % 16) {
        ck_attention_scalar(a);
        return;
    }
    const int32_t group = p->heads / p->kv_heads, rows = (a->token_end - a->token_begin) * group;
    for (int32_t r = 0; r < rows; r++) {
        a->maximum[r] = -INFINITY;
        a->sum[r] = 0;
    }
    memset(a->weighted, 0, sizeof(float) * rows * p->head_dim);
    if (rows > group || a->key_end - a->key_begin > CHUNK) {
        attend_blocks(a);
        return;
    }
    /* rows <= group: one token's heads, which see the same keys */
    int32_t from, to;
    ck_visible_keys(p, a->token_begin, &from, &to);
    if (from < a->key_begin) from = a->key_begin;
    if (to > a->key_end) to = a->key_end;
    if (from >= to) return;
    for (int32_t r = 0; r < rows;) {
        const int32_t here = rows - r < GROUP ? rows - r : GROUP;
        (here == 1   ? attend_1
         : here == 2 ? attend_2
         : here == 3 ? attend_3
                     : attend_4)(a, r, from, to);
        r += here;
    }
}

#pragma clang attribute pop
#endif
