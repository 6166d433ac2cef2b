/* Limits on x86-64. The empty asm makes a value unknown to the compiler: a factor, so that products
 * are not taken out of the loop, and the sums at the end, so that the loop is not dropped. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "peak_arithmetic.h"

#define HIDE(x) __asm__ volatile("" : "+v"(x))

/* A function of `rounds` × PEAK_SUMS times sum = STEP(sum, a, b). */
#define PEAK_LOOP(name, isa, type, zero, STEP)                                               \
    __attribute__((target(isa))) static void name(int64_t rounds) {                          \
        type sums[PEAK_SUMS], a = zero, b = zero;                                            \
        for (int i = 0; i < PEAK_SUMS; i++) sums[i] = zero;                                  \
        for (int64_t round = 0; round < rounds; round++) {                                   \
            HIDE(a);                                                                         \
            HIDE(b);                                                                         \
            _Pragma("clang loop unroll(full)") for (int i = 0; i < PEAK_SUMS; i++) sums[i] = \
                STEP(sums[i], a, b);                                                         \
        }                                                                                    \
        for (int i = 0; i < PEAK_SUMS; i++) HIDE(sums[i]);                                   \
    }

#define FMA_256(sum, a, b) _mm256_fmadd_ps(a, b, sum)
#define FMA_512(sum, a, b) _mm512_fmadd_ps(a, b, sum)
#define DOT_INT8_512(sum, a, b) _mm512_dpbusd_epi32(sum, a, b)
#define DOT_BF16_512(sum, a, b) _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b)

PEAK_LOOP(fma_avx2, "avx2,fma", __m256, _mm256_setzero_ps(), FMA_256)
PEAK_LOOP(fma_avx512, "avx512f", __m512, _mm512_setzero_ps(), FMA_512)
PEAK_LOOP(int8_avx512vnni, "avx512f,avx512vnni", __m512i, _mm512_setzero_si512(), DOT_INT8_512)
PEAK_LOOP(bf16_avx512bf16, "avx512f,avx512bf16", __m512, _mm512_setzero_ps(), DOT_BF16_512)

/* Without a dot product that adds: vpmaddubsw and an addition of 16 bits. The products would be one
 * and the same for all sums, so each hides its factor. */
__attribute__((target("avx2"))) static void int8_avx2(int64_t rounds) {
    __m256i sums[PEAK_SUMS], a = _mm256_setzero_si256(), b = a;
    for (int i = 0; i < PEAK_SUMS; i++) sums[i] = a;
    HIDE(b);
    for (int64_t round = 0; round < rounds; round++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < PEAK_SUMS; i++) {
            HIDE(a);
            sums[i] = _mm256_add_epi16(sums[i], _mm256_maddubs_epi16(a, b));
        }
    }
    for (int i = 0; i < PEAK_SUMS; i++) HIDE(sums[i]);
}

const peak_loop_t peak_loops[] = {
    {"matmul_f32", "avx2", 2 * 8, fma_avx2},
    {"matmul_f32", "avx512", 2 * 16, fma_avx512},
    {"matmul_int8", "avx2", 2 * 32, int8_avx2},
    {"matmul_int8", "avx512vnni", 2 * 64, int8_avx512vnni},
    {"matmul_bf16", "avx512bf16", 2 * 32, bf16_avx512bf16},
};
const int32_t peak_loop_count = sizeof peak_loops / sizeof *peak_loops;
#endif
