/* With p = e^(scale q·k - log_sum) and ds = p (dout·v - D): dq = scale Σ_s ds k[s] over the keys a query
 * sees; dk[s] = scale Σ_t ds q[t], dv[s] = Σ_t p dout[t] over the queries that see a key.
 * q, dout [tokens, heads, head_dim]; k, v [tokens, kv_heads, head_dim]; nothing of size tokens × tokens.
 * Limit: FMA throughput. Sixteen dot products of each kind are summed by one tree, then one exp serves
 * them all; the sums over keys or queries stay in registers. Heads other than multiples of 16 up to 128
 * wide take the scalar variant. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>

#include "attention/attention.h"
#include "dispatch/dispatch.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))), \
                             apply_to = function)

#include "math/vector_avx512.h"

enum { MOST_VECTORS = 8 };

/* Sixteen dot products of `fixed` with the rows at rows[i]. */
static inline __m512 dots(const float* fixed, const float* const* rows, int32_t dim) {
    __m512 v[16];
    for (int i = 0; i < 16; i++) {
        v[i] = _mm512_mul_ps(_mm512_loadu_ps(fixed), _mm512_loadu_ps(rows[i]));
        for (int32_t d = 16; d < dim; d += 16) {
            v[i] = _mm512_fmadd_ps(_mm512_loadu_ps(fixed + d), _mm512_loadu_ps(rows[i] + d), v[i]);
        }
    }
    return sums16(v);
}

/* dq of one query, from the keys it sees. */
static void backward_query(const ck_attention_head_t* a, int32_t t, float delta) {
    const ck_attention_shape_t* p = a->shape;
    const int32_t dim = p->head_dim, vectors = dim / 16, kv = a->head / (p->heads / p->kv_heads);
    const size_t row = (size_t)t * p->heads + a->head;
    int32_t from, to;
    ck_visible_keys(p, t, &from, &to);
    __m512 sums[MOST_VECTORS];
    for (int j = 0; j < vectors; j++) sums[j] = _mm512_setzero_ps();
    for (int32_t s = from; s < to; s += 16) {
        const float *k[16], *v[16];
        for (int i = 0; i < 16; i++) {
            const size_t key = ((size_t)(s + i < to ? s + i : to - 1) * p->kv_heads + kv) * dim;
            k[i] = a->k + key;
            v[i] = a->v + key;
        }
        const __mmask16 mask = (__mmask16)(to - s >= 16 ? 0xffff : (1 << (to - s)) - 1);
        const __m512 weight =
            exp16(_mm512_fmsub_ps(dots(a->q + row * dim, k, dim), _mm512_set1_ps(p->scale),
                                  _mm512_set1_ps(a->log_sum[row])));
        const __m512 ds = _mm512_maskz_mul_ps(
            mask, weight, _mm512_sub_ps(dots(a->dout + row * dim, v, dim), _mm512_set1_ps(delta)));
        float factor[16];
        _mm512_storeu_ps(factor, _mm512_mul_ps(ds, _mm512_set1_ps(p->scale)));
        for (int i = 0; i < 16; i++) {
            for (int j = 0; j < vectors; j++) {
                sums[j] = _mm512_fmadd_ps(_mm512_set1_ps(factor[i]), _mm512_loadu_ps(k[i] + 16 * j),
                                          sums[j]);
            }
        }
    }
    for (int j = 0; j < vectors; j++) _mm512_storeu_ps(a->dq + row * dim + 16 * j, sums[j]);
}

/* dk and dv of one key, from up to 16 queries that see it (the rest masked). */
static inline void add_queries(const ck_attention_head_t* a, const float* k, const float* v,
                               const int32_t* tokens, const float* deltas, __mmask16 mask,
                               __m512* dk, __m512* dv) {
    const ck_attention_shape_t* p = a->shape;
    const int32_t dim = p->head_dim, vectors = dim / 16;
    const float *q[16], *dout[16];
    float log_sum[16], delta[16];
    for (int i = 0; i < 16; i++) {
        const size_t row = (size_t)tokens[i] * p->heads + a->head;
        q[i] = a->q + row * dim;
        dout[i] = a->dout + row * dim;
        log_sum[i] = a->log_sum[row];
        delta[i] = deltas[tokens[i]];
    }
    const __m512 weight =
        _mm512_maskz_mov_ps(mask, exp16(_mm512_fmsub_ps(dots(k, q, dim), _mm512_set1_ps(p->scale),
                                                        _mm512_loadu_ps(log_sum))));
    const __m512 ds =
        _mm512_mul_ps(weight, _mm512_sub_ps(dots(v, dout, dim), _mm512_loadu_ps(delta)));
    float w[16], f[16];
    _mm512_storeu_ps(w, weight);
    _mm512_storeu_ps(f, _mm512_mul_ps(ds, _mm512_set1_ps(p->scale)));
    for (int i = 0; i < 16; i++) {
        for (int j = 0; j < vectors; j++) {
            dk[j] = _mm512_fmadd_ps(_mm512_set1_ps(f[i]), _mm512_loadu_ps(q[i] + 16 * j), dk[j]);
            dv[j] = _mm512_fmadd_ps(_mm512_set1_ps(w[i]), _mm512_loadu_ps(dout[i] + 16 * j), dv[j]);
        }
    }
}

static void backward_key(const ck_attention_head_t* a, int32_t s, const float* deltas) {
    const ck_attention_shape_t* p = a->shape;
    const int32_t dim = p->head_dim, vectors = dim / 16, kv = a->head / (p->heads / p->kv_heads);
    const size_t key = ((size_t)s * p->kv_heads + kv) * dim;
    __m512 dk[MOST_VECTORS], dv[MOST_VECTORS];
    for (int j = 0; j < vectors; j++) dk[j] = dv[j] = _mm512_setzero_ps();
    int32_t tokens[16] = {0};
    int filled = 0;
    for (int32_t t = 0; t < p->tokens; t++) {
        int32_t from, to;
        ck_visible_keys(p, t, &from, &to);
        if (s < from || s >= to) continue;
        tokens[filled++] = t;
        if (filled < 16) continue;
        add_queries(a, a->k + key, a->v + key, tokens, deltas, 0xffff, dk, dv);
        filled = 0;
    }
    if (filled) {
        add_queries(a, a->k + key, a->v + key, tokens, deltas, (__mmask16)((1 << filled) - 1), dk,
                    dv);
    }
    for (int j = 0; j < vectors; j++) {
        _mm512_storeu_ps(a->dk + (size_t)s * dim + 16 * j, dk[j]);
        _mm512_storeu_ps(a->dv + (size_t)s * dim + 16 * j, dv[j]);
    }
}

void ck_attention_backward_avx512(const ck_attention_head_t* a) {
    const ck_attention_shape_t* p = a->shape;
    const int32_t dim = p->head_dim;
    if (dim % 16 || dim / 16 > MOST_VECTORS) {
        ck_attention_backward_scalar(a);
        return;
    }
    float* deltas = a->scratch;
    for (int32_t t = 0; t < p->tokens; t++) {
        const size_t row = ((size_t)t * p->heads + a->head) * dim;
        __m512 sum = _mm512_setzero_ps();
        for (int32_t d = 0; d < dim; d += 16) {
            sum = _mm512_fmadd_ps(_mm512_loadu_ps(a->dout + row + d),
                                  _mm512_loadu_ps(a->out + row + d), sum);
        }
        deltas[t] = _mm512_reduce_add_ps(sum);
        backward_query(a, t, deltas[t]);
    }
    for (int32_t s = 0; s < p->tokens; s++) backward_key(a, s, deltas);
}

#pragma clang attribute pop
#endif
