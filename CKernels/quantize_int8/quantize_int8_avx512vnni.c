/* xq[t, k] = round(x[t, k] / xs[t, g]), xs = absmax of the group / 127; sum = xs * Σ xq.
 * x [tokens, cols]; xq tiled [tile][cols/4][width][4] int8; xs, sum [tile][groups][width].
 * Limit: loads and stores of four bytes; vpdpbusd with ones adds up what was rounded. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "activations/tiles.h"
#include "selection/table.h"

#pragma clang attribute push(                                                          \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,fma,f16c"))), \
    apply_to = function)

/* Largest of 16 lanes, in a scalar. */
static inline float largest_of(__m512 v) {
    __m256 a = _mm256_max_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    __m128 b = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_max_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_max_ss(b, _mm_movehdup_ps(b)));
}

void ck_quantize_int8_avx512vnni(const float* x, int32_t begin, int32_t end, int32_t tokens,
                                 int32_t cols, int32_t group_size, int8_t* q, float* scale,
                                 float* sum) {
    const int32_t groups = cols / group_size;
    const __m128i ones = _mm_set1_epi8(1);
    for (int32_t tile = begin; tile < end;) {
        const int32_t width = ck_next_tile(tokens - tile, CK_TILE_WIDE_INT8);
        for (int32_t t = 0; t < width; t++) {
            const float* v = x + (size_t)(tile + t) * cols;
            int8_t* out = q + (size_t)tile * cols + 4 * t;
            size_t at = (size_t)tile * groups + t;
            for (int32_t g = 0; g < groups; g++, at += width, v += group_size) {
                __m512 most = _mm512_abs_ps(_mm512_loadu_ps(v));
                for (int32_t k = 16; k < group_size; k += 16) {
                    most = _mm512_max_ps(most, _mm512_abs_ps(_mm512_loadu_ps(v + k)));
                }
                const float largest = largest_of(most);
                const bool is_zero = !(largest >= CK_SMALLEST_ABSMAX);
                const float step = is_zero ? 0 : largest * (1.0f / 127);
                const __m512 inverse = _mm512_set1_ps(is_zero ? 0 : 127 / largest);
                __m128i total = _mm_setzero_si128();
                for (int32_t k = 0; k < group_size; k += 16, out += 16 * width) {
                    const __m128i bytes = _mm512_cvtsepi32_epi8(
                        _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(v + k), inverse)));
                    total = _mm_dpbusd_epi32(total, ones, bytes);
                    if (width == 1) {
                        _mm_storeu_si128((__m128i*)out, bytes);
                        continue;
                    }
                    const int32_t words[4] = {_mm_cvtsi128_si32(bytes), _mm_extract_epi32(bytes, 1),
                                              _mm_extract_epi32(bytes, 2),
                                              _mm_extract_epi32(bytes, 3)};
                    for (int i = 0; i < 4; i++) memcpy(out + 4 * width * i, &words[i], 4);
                }
                total = _mm_add_epi32(total, _mm_unpackhi_epi64(total, total));
                total = _mm_add_epi32(total, _mm_shuffle_epi32(total, 1));
                scale[at] = step;
                sum[at] = step * (float)_mm_cvtsi128_si32(total);
            }
        }
        tile += width;
    }
}

#pragma clang attribute pop
#endif
