/* The loop of gelu_loop.h, compiled for NEON, which every ARMv8 has. */
#if defined(__aarch64__)
#include "gelu/gelu_loop.h"
#include "selection/table.h"

void ck_gelu_neon(const float* x, int64_t begin, int64_t end, float* out) {
    gelu_loop(x, begin, end, out);
}
#endif
