/* xq[t, k] = round(x[t, k] / xs[t, g]), xs = absmax of the group / 127; sum = xs * Σ xq.
 * x [tokens, cols]; xq tiled [tile][cols/4][width][4] int8; xs, sum [tile][groups][width].
 * Limit: loads and the packing of words to bytes; a run of tokens is read twice, the second time
 * from L1. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "activations/tiles.h"
#include "selection/table.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

void ck_quantize_int8_avx2(const float* x, int32_t begin, int32_t end, int32_t tokens, int32_t cols,
                           int32_t group_size, int8_t* q, float* scale, float* sum) {
    const int32_t groups = cols / group_size;
    const __m256 magnitude = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff));
    /* packs work in 128-bit halves: this order of words undoes it */
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    for (int32_t tile = begin; tile < end;) {
        const int32_t width = ck_next_tile(tokens - tile, CK_TILE_WIDE_INT8);
        for (int32_t t = 0; t < width; t++) {
            const float* v = x + (size_t)(tile + t) * cols;
            int8_t* out = q + (size_t)tile * cols + 4 * t;
            size_t at = (size_t)tile * groups + t;
            for (int32_t g = 0; g < groups; g++, at += width, v += group_size) {
                __m256 most = _mm256_setzero_ps();
                for (int32_t k = 0; k < group_size; k += 8) {
                    most = _mm256_max_ps(most, _mm256_and_ps(_mm256_loadu_ps(v + k), magnitude));
                }
                __m128 m = _mm_max_ps(_mm256_castps256_ps128(most), _mm256_extractf128_ps(most, 1));
                m = _mm_max_ps(m, _mm_movehl_ps(m, m));
                const float largest = _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
                const bool is_zero = !(largest >= CK_SMALLEST_ABSMAX);
                const float step = is_zero ? 0 : largest * (1.0f / 127);
                const __m256 inverse = _mm256_set1_ps(is_zero ? 0 : 127 / largest);
                int32_t total = 0;
                for (int32_t k = 0; k < group_size; k += 32, out += 32 * (size_t)width) {
                    __m256i part[4];
                    for (int i = 0; i < 4; i++) {
                        part[i] = _mm256_cvtps_epi32(
                            _mm256_mul_ps(_mm256_loadu_ps(v + k + 8 * i), inverse));
                    }
                    int32_t words[8];
                    const __m256i bytes = _mm256_packs_epi16(_mm256_packs_epi32(part[0], part[1]),
                                                             _mm256_packs_epi32(part[2], part[3]));
                    _mm256_storeu_si256((__m256i*)words, _mm256_permutevar8x32_epi32(bytes, order));
                    for (int i = 0; i < 8; i++) {
                        memcpy(out + 4 * (size_t)width * i, &words[i], 4);
                    }
                    const __m256i four = _mm256_add_epi32(_mm256_add_epi32(part[0], part[1]),
                                                          _mm256_add_epi32(part[2], part[3]));
                    __m128i two = _mm_add_epi32(_mm256_castsi256_si128(four),
                                                _mm256_extracti128_si256(four, 1));
                    two = _mm_add_epi32(two, _mm_unpackhi_epi64(two, two));
                    total += _mm_cvtsi128_si32(two) + _mm_extract_epi32(two, 1);
                }
                scale[at] = step;
                sum[at] = step * (float)total;
            }
        }
        tile += width;
    }
}

#pragma clang attribute pop
#endif
