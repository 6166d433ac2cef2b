/* Limits on aarch64. The empty asm makes a value unknown to the compiler: a factor, so that
 * products are not taken out of the loop, and the sums at the end, so that the loop is not
 * dropped. */
#if defined(__aarch64__)
#include <arm_neon.h>

#include "peak_arithmetic.h"

#define HIDE(x) __asm__ volatile("" : "+w"(x))

/* A function of `rounds` × PEAK_SUMS times sum = step(sum, a, b). */
#define PEAK_LOOP(name, isa, sum_t, a_t, b_t, step)                                          \
    __attribute__((target(isa))) static void name(int64_t rounds) {                          \
        sum_t sums[PEAK_SUMS] = {0};                                                         \
        a_t a = {0};                                                                         \
        b_t b = {0};                                                                         \
        for (int64_t round = 0; round < rounds; round++) {                                   \
            HIDE(a);                                                                         \
            HIDE(b);                                                                         \
            _Pragma("clang loop unroll(full)") for (int i = 0; i < PEAK_SUMS; i++) sums[i] = \
                step(sums[i], a, b);                                                         \
        }                                                                                    \
        for (int i = 0; i < PEAK_SUMS; i++) HIDE(sums[i]);                                   \
    }

PEAK_LOOP(fma, "neon", float32x4_t, float32x4_t, float32x4_t, vfmaq_f32)
PEAK_LOOP(int8_dotprod, "dotprod", int32x4_t, int8x16_t, int8x16_t, vdotq_s32)
PEAK_LOOP(int8_i8mm, "i8mm", int32x4_t, uint8x16_t, int8x16_t, vusmmlaq_s32)
PEAK_LOOP(bf16, "bf16", float32x4_t, bfloat16x8_t, bfloat16x8_t, vbfmmlaq_f32)

const peak_loop_t peak_loops[] = {
    {"matmul_f32", "neon", 2 * 4, fma},
    {"matmul_int8", "dotprod", 2 * 16, int8_dotprod},
    {"matmul_int8", "i8mm", 2 * 32, int8_i8mm},
    {"matmul_bf16", "neonbf16", 2 * 16, bf16},
};
const int32_t peak_loop_count = sizeof peak_loops / sizeof *peak_loops;
#endif
