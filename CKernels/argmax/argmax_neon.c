/* The loop of argmax_loop.h, compiled for NEON, which every ARMv8 has. */
#if defined(__aarch64__)
#include "argmax/argmax_loop.h"
#include "selection/table.h"

int64_t ck_argmax_neon(const float* x, int64_t begin, int64_t end) {
    return argmax_loop(x, begin, end);
}
#endif
