/* The loops of swiglu_loops.h, compiled for AVX-512. */
#if defined(__x86_64__)
#include "selection/table.h"

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,f16c"))), apply_to = function)

#include "swiglu/swiglu_loops.h"

void ck_swiglu_avx512(const float* gate, const float* up, int64_t begin, int64_t end, float* out) {
    swiglu_loop(gate, up, begin, end, out);
}

void ck_swiglu_backward_avx512(const float* gate, const float* up, const float* dout, int64_t begin,
                               int64_t end, float* dgate, float* dup) {
    swiglu_backward_loop(gate, up, dout, begin, end, dgate, dup);
}

#pragma clang attribute pop
#endif
