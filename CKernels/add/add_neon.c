/* The loops of add_loops.h, compiled for NEON, which every ARMv8 has. */
#if defined(__aarch64__)
#include "add/add_loops.h"
#include "selection/table.h"

void ck_add_neon(float* y, const float* x, int64_t begin, int64_t end) {
    add_loop(y, x, begin, end);
}

void ck_add_bias_neon(float* y, const float* b, int64_t begin, int64_t end, int32_t width) {
    add_bias_loop(y, b, begin, end, width);
}
#endif
