/* y += x, wrong in the ways in which variants go wrong: each must turn the cross-check red. */
#include <stdint.h>

#include "selection/table.h"

#if defined(SANITIZED)
/* Right results every one: only the sanitizers can see what is wrong. */

/* Reads the element after its input's last one. */
void ck_add_broken_overread(float* y, const float* x, int64_t begin, int64_t end) {
    volatile float ahead = 0;
    for (int64_t i = begin; i < end; i++) {
        y[i] += x[i];
        ahead = x[i + 1];
    }
    (void)ahead;
}

/* Reads what lies before its input's first element. */
void ck_add_broken_underread(float* y, const float* x, int64_t begin, int64_t end) {
    volatile float before = 0;
    for (int64_t i = begin; i < end; i++) {
        y[i] += x[i];
        before = x[i - 4];
    }
    (void)before;
}

/* Reads pairs of elements as if each pair began on a multiple of 8 bytes. */
void ck_add_broken_typed_load(float* y, const float* x, int64_t begin, int64_t end) {
    for (int64_t i = begin; i + 2 <= end; i += 2) {
        union {
            uint64_t bits;
            float values[2];
        } pair = {*(const uint64_t*)(const void*)(x + i)};
        y[i] += pair.values[0];
        y[i + 1] += pair.values[1];
    }
    if ((end - begin) % 2) y[end - 1] += x[end - 1];
}

/* Shifts by the whole width of the type. */
void ck_add_broken_shift(float* y, const float* x, int64_t begin, int64_t end) {
    volatile int32_t shifted = 0;
    for (int64_t i = begin; i < end; i++) {
        shifted = (int32_t)i << (32 + (i & 1));
        y[i] += x[i];
    }
    (void)shifted;
}
#elif defined(__aarch64__)
#include <arm_neon.h>

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

/* Stops the program. */
void ck_add_broken_crash(float* y, const float* x, int64_t begin, int64_t end) {
    (void)y, (void)x, (void)begin, (void)end;
    __builtin_trap();
}

/* Uses dot products, which its line in the registry does not ask for. */
__attribute__((target("dotprod"))) void ck_add_broken_isa(float* y, const float* x, int64_t begin,
                                                          int64_t end) {
    const int32x4_t zero = vdotq_s32(vdupq_n_s32(0), vdupq_n_s8((int8_t)end), vdupq_n_s8(0));
    for (int64_t i = begin; i < end; i++) y[i] += x[i] + (float)vaddvq_s32(zero);
}
#endif
