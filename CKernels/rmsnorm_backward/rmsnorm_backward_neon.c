/* The loop of rmsnorm_backward_loop.h, compiled for NEON, which every ARMv8 has. */
#if defined(__aarch64__)
#include "rmsnorm_backward/rmsnorm_backward_loop.h"
#include "selection/table.h"

void ck_rmsnorm_backward_x_neon(const float* x, const float* w, const float* rstd, const float* dy,
                                int64_t begin, int64_t end, int32_t width, float* dx) {
    rmsnorm_backward_x_loop(x, w, rstd, dy, begin, end, width, dx);
}
#endif
