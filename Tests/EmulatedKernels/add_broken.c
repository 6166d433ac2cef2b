/* y += x, wrong in the ways in which variants go wrong: each must turn the cross-check red. */
#include "dispatch/dispatch.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#include <stdint.h>

static void add_four(float* y, const float* x) {
    vst1q_f32(y, vaddq_f32(vld1q_f32(y), vld1q_f32(x)));
}

/* Leaves out what does not fill a vector. */
void ck_add_broken_tail(float* y, const float* x, int64_t begin, int64_t end) {
    for (int64_t i = begin; i + 4 <= end; i += 4) add_four(y + i, x + i);
}

/* The last element of each range is off by a part in four million. */
void ck_add_broken_rounding(float* y, const float* x, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) y[i] += x[i];
    if (end > begin) y[end - 1] *= 1 + 0x1p-22f;
}

/* Takes it that y begins on a multiple of 16 bytes. */
void ck_add_broken_alignment(float* y, const float* x, int64_t begin, int64_t end) {
    y = (float*)((uintptr_t)y & ~(uintptr_t)15);
    for (int64_t i = begin; i < end; i++) y[i] += x[i];
}

/* Stores whole vectors, past the end as well. */
void ck_add_broken_overrun(float* y, const float* x, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += 4) add_four(y + i, x + i);
}

/* Uses its input as scratch memory. */
void ck_add_broken_input(float* y, const float* x, int64_t begin, int64_t end) {
    float* scratch = (float*)(uintptr_t)x;
    for (int64_t i = begin; i < end; i++) y[i] = scratch[i] += y[i];
}

/* Runs into an instruction that does not exist. */
void ck_add_broken_crash(float* y, const float* x, int64_t begin, int64_t end) {
    (void)y, (void)x, (void)begin, (void)end;
    __builtin_trap();
}
#endif
