/* The loops of swiglu_loops.h, compiled for NEON, which every ARMv8 has. */
#if defined(__aarch64__)
#include "selection/table.h"
#include "swiglu/swiglu_loops.h"

void ck_swiglu_neon(const float* gate, const float* up, int64_t begin, int64_t end, float* out) {
    swiglu_loop(gate, up, begin, end, out);
}

void ck_swiglu_backward_neon(const float* gate, const float* up, const float* dout, int64_t begin,
                             int64_t end, float* dgate, float* dup) {
    swiglu_backward_loop(gate, up, dout, begin, end, dgate, dup);
}
#endif
