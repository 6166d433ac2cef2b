/* y[t, o] = Σ_g xs[t, g] * (scale[o, g] * Σ_{k in g} q[o, k] * xq[t, k]
 *                            + bias[o, g] * Σ_{k in g} xq[t, k])
 * xq tiled [tile][cols/4][width][4] int8; w packed 16 rows a block; y [tokens, stride].
 * Limits: one token: memory bandwidth. Many: throughput of vpmaddubsw, whose 16-bit sums hold eight
 * products of 4-bit values (8 * 2 * 15 * 127 < 2^15) before they are widened. 8-bit values would
 * saturate it, so they go as 16-bit pairs through vpmaddwd. Weights are unpacked in registers, for
 * four tokens at a time. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "matmul/matmul.h"
#include "pack/pack.h"
#include "selection/table.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#include "matmul/tile_avx2.h"

static inline __m256i broadcast4(const int8_t* p) {
    int32_t word;
    memcpy(&word, p, 4);
    return _mm256_set1_epi32(word);
}

/* dots[2i + h] += Σ over 32 columns for n tokens and half h of 16 rows, 4 bits: p [4][64], x
 * [8][width][4]. */
static inline __attribute__((always_inline)) void dots_4bit(int n, int32_t width, const uint8_t* p,
                                                            const int8_t* x, __m256i* dots) {
    const __m256i low = _mm256_set1_epi8(15), ones = _mm256_set1_epi16(1);
    for (int h = 0; h < 2; h++) {
        __m256i sums[4];
#pragma clang loop unroll(full)
        for (int i = 0; i < n; i++) sums[i] = _mm256_setzero_si256();
        for (int c = 0; c < 4; c++) {
            const __m256i v = _mm256_loadu_si256((const __m256i*)(p + 64 * c + 32 * h));
            const __m256i a = _mm256_and_si256(v, low);
            const __m256i b = _mm256_and_si256(_mm256_srli_epi16(v, 4), low);
            const int8_t* at = x + 8 * (size_t)width * c;
#pragma clang loop unroll(full)
            for (int i = 0; i < n; i++) {
                const __m256i first = _mm256_maddubs_epi16(a, broadcast4(at + 4 * i));
                const __m256i second = _mm256_maddubs_epi16(b, broadcast4(at + 4 * (width + i)));
                sums[i] = _mm256_add_epi16(sums[i], _mm256_add_epi16(first, second));
            }
        }
#pragma clang loop unroll(full)
        for (int i = 0; i < n; i++) {
            dots[2 * i + h] = _mm256_add_epi32(dots[2 * i + h], _mm256_madd_epi16(sums[i], ones));
        }
    }
}

/* The same, 8 bits: p [8][64]. */
static inline __attribute__((always_inline)) void dots_8bit(int n, int32_t width, const uint8_t* p,
                                                            const int8_t* x, __m256i* dots) {
    const __m256i low = _mm256_set1_epi16(255);
    for (int c = 0; c < 8; c++) {
        const __m256i v = _mm256_loadu_si256((const __m256i*)(p + 64 * c));
        const __m256i u = _mm256_loadu_si256((const __m256i*)(p + 64 * c + 32));
        const __m256i even[2] = {_mm256_and_si256(v, low), _mm256_and_si256(u, low)};
        const __m256i odd[2] = {_mm256_srli_epi16(v, 8), _mm256_srli_epi16(u, 8)};
#pragma clang loop unroll(full)
        for (int i = 0; i < n; i++) {
            const __m256i word = broadcast4(x + 4 * ((size_t)width * c + i));
            const __m256i x02 = _mm256_srai_epi16(_mm256_slli_epi16(word, 8), 8);
            const __m256i x13 = _mm256_srai_epi16(word, 8);
            for (int h = 0; h < 2; h++) {
                const __m256i pair = _mm256_add_epi32(_mm256_madd_epi16(even[h], x02),
                                                      _mm256_madd_epi16(odd[h], x13));
                dots[2 * i + h] = _mm256_add_epi32(dots[2 * i + h], pair);
            }
        }
    }
}

/* n tokens of a tile against one block. n, width and bits are constants at every call. */
static inline __attribute__((always_inline)) void tile_int8(int n, int32_t width, int32_t bits,
                                                            const ck_matrix_t* w,
                                                            const uint8_t* block, const int8_t* x,
                                                            const float* xs, const float* xsum,
                                                            const tile_out_t* out, int32_t t) {
    const int32_t size = w->group_size;
    const size_t value_bytes = ck_group_value_bytes(bits, size);
    __m256 sums[8];
#pragma clang loop unroll(full)
    for (int i = 0; i < 2 * n; i++) sums[i] = _mm256_setzero_ps();
    for (int32_t g = 0; g < w->cols / size; g++) {
        __m256i dots[8];
#pragma clang loop unroll(full)
        for (int i = 0; i < 2 * n; i++) dots[i] = _mm256_setzero_si256();
        for (int32_t k = 0; k < size; k += 32, x += 32 * (size_t)width) {
            if (bits == 4) {
                dots_4bit(n, width, block + 8 * k, x, dots);
            } else {
                dots_8bit(n, width, block + 16 * k, x, dots);
            }
        }
        const uint8_t* scales = block + value_bytes;
        for (int h = 0; h < 2; h++) {
            const __m256 scale = load8(scales, w->scale_dtype, 8 * h);
            const __m256 bias = load8(scales, w->scale_dtype, 16 + 8 * h);
#pragma clang loop unroll(full)
            for (int i = 0; i < n; i++) {
                __m256* sum = &sums[2 * i + h];
                const __m256 s = _mm256_mul_ps(scale, _mm256_broadcast_ss(xs + i));
                *sum = _mm256_fmadd_ps(s, _mm256_cvtepi32_ps(dots[2 * i + h]), *sum);
                *sum = _mm256_fmadd_ps(bias, _mm256_broadcast_ss(xsum + i), *sum);
            }
        }
        block += ck_group_bytes(bits, size, w->scale_dtype);
        xs += width;
        xsum += width;
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < n; i++) tile_store(out, t + i, sums[2 * i], sums[2 * i + 1]);
}

static inline __attribute__((always_inline)) void matmul(const ck_matmul_args_t* a, int64_t begin,
                                                         int64_t end, int32_t bits) {
    const ck_matrix_t* w = a->w;
    const int32_t groups = w->cols / w->group_size;
    for (int64_t b = begin; b < end; b++) {
        const uint8_t* block = (const uint8_t*)w->data + b * ck_block_bytes(w);
        const tile_out_t out = tile_out(a, b, w->rows);
        for (int32_t t = 0; t < a->tokens;) {
            const int32_t width = ck_next_tile(a->tokens - t, CK_TILE_WIDE_INT8);
            const int8_t* x = (const int8_t*)a->x + (size_t)t * w->cols;
            const float* xs = a->scale + (size_t)t * groups;
            const float* xsum = a->sum + (size_t)t * groups;
            if (width == 1) {
                tile_int8(1, 1, bits, w, block, x, xs, xsum, &out, t);
            } else {
                for (int i = 0; i < width; i += 4) {
                    tile_int8(4, width, bits, w, block, x + 4 * i, xs + i, xsum + i, &out, t + i);
                }
            }
            t += width;
        }
    }
}

void ck_matmul_int8_avx2(const ck_matmul_args_t* a, int64_t begin, int64_t end, void* scratch) {
    (void)scratch;
    if (a->w->bits == 4) {
        matmul(a, begin, end, 4);
    } else {
        matmul(a, begin, end, 8);
    }
}

#pragma clang attribute pop
#endif
