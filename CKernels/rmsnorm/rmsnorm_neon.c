/* The loop of rmsnorm_loop.h, compiled for NEON, which every ARMv8 has. */
#if defined(__aarch64__)
#include "rmsnorm/rmsnorm_loop.h"
#include "selection/table.h"

void ck_rmsnorm_neon(const float* x, const float* w, int64_t begin, int64_t end, int32_t width,
                     float eps, float* y, float* rstd) {
    rmsnorm_loop(x, w, begin, end, width, eps, y, rstd);
}
#endif
