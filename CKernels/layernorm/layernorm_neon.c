/* The loop of layernorm_loop.h, compiled for NEON, which every ARMv8 has. */
#if defined(__aarch64__)
#include "layernorm/layernorm_loop.h"
#include "selection/table.h"

void ck_layernorm_neon(const float* x, const float* w, const float* b, int64_t begin, int64_t end,
                       int32_t width, float eps, float* y) {
    layernorm_loop(x, w, b, begin, end, width, eps, y);
}
#endif
