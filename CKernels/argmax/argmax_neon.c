/* The loop of argmax_loop.h, compiled for NEON, which every ARMv8 has. */
#if defined(__aarch64__)
#include "selection/table.h"

#define CK_LANES 4

#include "argmax/argmax_loop.h"

int64_t ck_argmax_neon(const float* x, int64_t begin, int64_t end) {
    return argmax_loop(x, begin, end);
}
#endif
