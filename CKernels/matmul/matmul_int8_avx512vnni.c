/* y[t, o] = Σ_g xs[t, g] * (scale[o, g] * Σ_{k in g} q[o, k] * xq[t, k]
 *                            + bias[o, g] * Σ_{k in g} xq[t, k])
 * xq tiled [tile][cols/4][width][4] int8; w packed 16 rows a block; y [tokens, stride].
 * Limits: few tokens: memory bandwidth, 64 bytes of weights to two vpdpbusd a token. Many: vpdpbusd
 * throughput; a block is unpacked to bytes once (in L1 or L2) and 12 tokens share each load. No
 * horizontal sums: the 16 lanes are 16 outputs. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "matmul/matmul.h"
#include "pack/pack.h"
#include "selection/table.h"

#pragma clang attribute push(                                                          \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,fma,f16c"))), \
    apply_to = function)

#include "matmul/tile_avx512.h"

/* From so many tokens on their arithmetic takes about as long as the block takes to come from
 * memory, and while it lasts the processor's own prefetchers see no loads to run ahead of: the next
 * block is asked for by hand, the last one's successor too, which is nowhere and does no harm. With
 * fewer they are quicker alone. */
enum { PREFETCH_FROM = 5 };

static inline __m512i broadcast4(const int8_t* p) {
    int32_t word;
    memcpy(&word, p, 4);
    return _mm512_set1_epi32(word);
}

/* ---- Few tokens ----------------------------------------------------------------------------- */

/* One block against a tile of `tile` tokens (or none) and `singles` tokens after it that are tiles
 * of their own, the values unpacked in registers. All but a, block and t are constants at every
 * call, so each combination gets a loop of its own. The f32 sums are taken in the order of the
 * tiles below: a token has the same bits alone and among others. */
static inline __attribute__((always_inline)) void few(const ck_matmul_args_t* a, int64_t block,
                                                      int32_t t, int32_t tile, int32_t singles,
                                                      int32_t bits, ck_dtype_t dtype) {
    enum { MOST = CK_TILE_WIDE_INT8 };
    const ck_matrix_t* w = a->w;
    const int32_t n = tile + singles;
    const int32_t size = w->group_size, groups = w->cols / size;
    const size_t cols = w->cols;
    const size_t value_bytes = ck_group_value_bytes(bits, size);
    const size_t scale_bytes = 16 * ck_dtype_bytes(dtype);
    const size_t block_bytes = (value_bytes + 2 * scale_bytes) * groups;
    const uint8_t* p = (const uint8_t*)w->data + block * block_bytes;
    /* where the tile's and the first single's next values lie */
    const int8_t* x = (const int8_t*)a->x + t * cols;
    const int8_t* x1 = x + tile * cols;
    const float* xs = a->scale + (size_t)t * groups;
    const float* xsum = a->sum + (size_t)t * groups;
    const float* xs1 = xs + (size_t)tile * groups;
    const float* xsum1 = xsum + (size_t)tile * groups;
    const __m512i low = _mm512_set1_epi8(15);
    __m512 totals[MOST];
#pragma clang loop unroll(full)
    for (int i = 0; i < n; i++) totals[i] = _mm512_setzero_ps();
    for (int32_t g = 0; g < groups; g++) {
        /* two chains for each of less than 8 tokens: one would wait for itself */
        __m512i even[MOST], odd[8];
#pragma clang loop unroll(full)
        for (int i = 0; i < n; i++) {
            even[i] = _mm512_setzero_si512();
            if (n < 8) odd[i] = _mm512_setzero_si512();
        }
        for (size_t at = 0; at < value_bytes; at += 64) {
            const __m512i v = _mm512_loadu_si512(p + at);
            const __m512i first = bits == 4 ? _mm512_and_si512(v, low) : v;
            const __m512i second = _mm512_and_si512(_mm512_srli_epi16(v, 4), low);
            /* arithmetic for this block, and the next one's way from memory, at the same time */
            if (n >= PREFETCH_FROM) _mm_prefetch((const char*)p + block_bytes + at, _MM_HINT_T0);
#pragma clang loop unroll(full)
            for (int i = 0; i < n; i++) {
                const int8_t* at_i = i < tile ? x + 4 * i : x1 + cols * (i - tile);
                even[i] = _mm512_dpbusd_epi32(even[i], first, broadcast4(at_i));
                if (bits == 4) {
                    __m512i* chain = n < 8 ? &odd[i] : &even[i];
                    *chain = _mm512_dpbusd_epi32(*chain, second,
                                                 broadcast4(at_i + (i < tile ? 4 * tile : 4)));
                }
            }
            x += (bits == 4 ? 8 : 4) * (size_t)tile;
            if (singles) x1 += bits == 4 ? 8 : 4;
        }
        if (n >= PREFETCH_FROM) {
            for (size_t at = 0; at < 2 * scale_bytes; at += 64) {
                _mm_prefetch((const char*)p + block_bytes + value_bytes + at, _MM_HINT_T0);
            }
        }
        const __m512 scale = load16(p + value_bytes, dtype);
        const __m512 bias = load16(p + value_bytes + scale_bytes, dtype);
#pragma clang loop unroll(full)
        for (int i = 0; i < n; i++) {
            const size_t single = (size_t)(i - tile) * groups;
            const float step = i < tile ? xs[i] : xs1[single];
            const float sum = i < tile ? xsum[i] : xsum1[single];
            const __m512 dot =
                _mm512_cvtepi32_ps(n < 8 ? _mm512_add_epi32(even[i], odd[i]) : even[i]);
            const __m512 s = _mm512_mul_ps(scale, _mm512_set1_ps(step));
            totals[i] = _mm512_fmadd_ps(s, dot, totals[i]);
            totals[i] = _mm512_fmadd_ps(bias, _mm512_set1_ps(sum), totals[i]);
        }
        p += value_bytes + 2 * scale_bytes;
        xs += tile;
        xsum += tile;
        if (singles) {
            xs1++;
            xsum1++;
        }
    }
    const tile_out_t out = tile_out(a, block, w->rows);
#pragma clang loop unroll(full)
    for (int i = 0; i < n; i++) tile_store(&out, t + i, totals[i]);
}

/* The same for numbers of single tokens that are not constants: each has a loop of its own. */
static inline __attribute__((always_inline)) void few_with(const ck_matmul_args_t* a, int64_t block,
                                                           int32_t t, int32_t tile, int32_t singles,
                                                           int32_t bits, ck_dtype_t dtype) {
    switch (singles) {
        case 0:
            if (tile > 0) few(a, block, t, tile, 0, bits, dtype);
            break;
        case 1:
            few(a, block, t, tile, 1, bits, dtype);
            break;
        case 2:
            few(a, block, t, tile, 2, bits, dtype);
            break;
        default:
            few(a, block, t, tile, 3, bits, dtype);
    }
}

/* All tiles of at most CK_FEW_TOKENS tokens: a block comes from memory once, and then out of L1. */
static inline __attribute__((always_inline)) void few_tokens(const ck_matmul_args_t* a,
                                                             int64_t begin, int64_t end,
                                                             int32_t bits, ck_dtype_t dtype) {
    for (int64_t b = begin; b < end; b++) {
        int32_t t = 0;
        if (a->tokens >= CK_TILE_WIDE_INT8) {
            few(a, b, 0, CK_TILE_WIDE_INT8, 0, bits, dtype);
            t = CK_TILE_WIDE_INT8;
        }
        const int32_t left = a->tokens - t;
        if (left >= 8) {
            few_with(a, b, t, 8, left - 8, bits, dtype);
        } else if (left >= 4) {
            few_with(a, b, t, 4, left - 4, bits, dtype);
        } else {
            few_with(a, b, t, 0, left, bits, dtype);
        }
    }
}

/* ---- Many tokens --------------------------------------------------------------------------- */

/* One block as bytes [cols/4][64], with its scales and biases [groups][16] f32. */
static void unpack(const ck_matrix_t* w, const uint8_t* block, uint8_t* values, float* scales,
                   float* biases) {
    const size_t value_bytes = ck_group_value_bytes(w->bits, w->group_size);
    const size_t scale_bytes = 16 * ck_dtype_bytes(w->scale_dtype);
    const __m512i low = _mm512_set1_epi8(15);
    for (int32_t g = 0; g < w->cols / w->group_size; g++) {
        for (size_t at = 0; at < value_bytes; at += 64) {
            const __m512i v = _mm512_loadu_si512(block + at);
            if (w->bits == 4) {
                _mm512_store_si512(values, _mm512_and_si512(v, low));
                _mm512_store_si512(values + 64, _mm512_and_si512(_mm512_srli_epi16(v, 4), low));
                values += 128;
            } else {
                _mm512_store_si512(values, v);
                values += 64;
            }
        }
        _mm512_store_ps(scales + 16 * g, load16(block + value_bytes, w->scale_dtype));
        _mm512_store_ps(biases + 16 * g, load16(block + value_bytes + scale_bytes, w->scale_dtype));
        block += value_bytes + 2 * scale_bytes;
    }
}

typedef struct {
    const uint8_t* values;
    const float *scales, *biases;
    int32_t groups, chunks; /* chunks of four columns in a group */
} unpacked_t;

/* A tile of n tokens against one block. n is a constant at every call. */
static inline __attribute__((always_inline)) void tile_int8(int n, const unpacked_t* u,
                                                            const int8_t* x, const float* xs,
                                                            const float* xsum,
                                                            const tile_out_t* out, int32_t t) {
    __m512 sums[CK_TILE_WIDE_INT8];
#pragma clang loop unroll(full)
    for (int i = 0; i < n; i++) sums[i] = _mm512_setzero_ps();
    const uint8_t* values = u->values;
    for (int32_t g = 0; g < u->groups; g++) {
        __m512i dots[CK_TILE_WIDE_INT8];
#pragma clang loop unroll(full)
        for (int i = 0; i < n; i++) dots[i] = _mm512_setzero_si512();
        for (int32_t c = 0; c < u->chunks; c++) {
            const __m512i v = _mm512_load_si512(values);
#pragma clang loop unroll(full)
            for (int i = 0; i < n; i++) {
                dots[i] = _mm512_dpbusd_epi32(dots[i], v, broadcast4(x + 4 * i));
            }
            values += 64;
            x += 4 * n;
        }
        const __m512 scale = _mm512_load_ps(u->scales + 16 * (size_t)g);
        const __m512 bias = _mm512_load_ps(u->biases + 16 * (size_t)g);
#pragma clang loop unroll(full)
        for (int i = 0; i < n; i++) {
            const __m512 s = _mm512_mul_ps(scale, _mm512_set1_ps(xs[i]));
            sums[i] = _mm512_fmadd_ps(s, _mm512_cvtepi32_ps(dots[i]), sums[i]);
            sums[i] = _mm512_fmadd_ps(bias, _mm512_set1_ps(xsum[i]), sums[i]);
        }
        xs += n;
        xsum += n;
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < n; i++) tile_store(out, t + i, sums[i]);
}

static void matmul(const ck_matmul_args_t* a, int64_t begin, int64_t end, void* scratch) {
    const ck_matrix_t* w = a->w;
    const int32_t groups = w->cols / w->group_size;
    uint8_t* values = scratch;
    float* scales = (float*)(values + (size_t)w->cols * 16);
    float* biases = scales + (size_t)groups * 16;
    const unpacked_t u = {values, scales, biases, groups, w->group_size / 4};
    for (int64_t b = begin; b < end; b++) {
        unpack(w, (const uint8_t*)w->data + b * ck_block_bytes(w), values, scales, biases);
        const tile_out_t out = tile_out(a, b, w->rows);
        for (int32_t t = 0; t < a->tokens;) {
            const int32_t width = ck_next_tile(a->tokens - t, CK_TILE_WIDE_INT8);
            const int8_t* x = (const int8_t*)a->x + (size_t)t * w->cols;
            const float* xs = a->scale + (size_t)t * groups;
            const float* xsum = a->sum + (size_t)t * groups;
            switch (width) {
                case CK_TILE_WIDE_INT8:
                    tile_int8(CK_TILE_WIDE_INT8, &u, x, xs, xsum, &out, t);
                    break;
                case 8:
                    tile_int8(8, &u, x, xs, xsum, &out, t);
                    break;
                case 4:
                    tile_int8(4, &u, x, xs, xsum, &out, t);
                    break;
                default:
                    tile_int8(1, &u, x, xs, xsum, &out, t);
            }
            t += width;
        }
    }
}

void ck_matmul_int8_avx512vnni(const ck_matmul_args_t* a, int64_t begin, int64_t end,
                               void* scratch) {
    if (a->tokens > CK_FEW_TOKENS) {
        matmul(a, begin, end, scratch);
        return;
    }
    const ck_dtype_t dtype = a->w->scale_dtype;
    if (a->w->bits == 4) {
        if (dtype == CK_F16) few_tokens(a, begin, end, 4, CK_F16);
        if (dtype == CK_BF16) few_tokens(a, begin, end, 4, CK_BF16);
        if (dtype == CK_F32) few_tokens(a, begin, end, 4, CK_F32);
    } else {
        if (dtype == CK_F16) few_tokens(a, begin, end, 8, CK_F16);
        if (dtype == CK_BF16) few_tokens(a, begin, end, 8, CK_BF16);
        if (dtype == CK_F32) few_tokens(a, begin, end, 8, CK_F32);
    }
}

#pragma clang attribute pop
#endif
