/* The loop of cross_entropy_loop.h, compiled for NEON, which every ARMv8 has. */
#if defined(__aarch64__)
#include "selection/table.h"

#define CK_LANES 4

#include "cross_entropy/cross_entropy_loop.h"

void ck_cross_entropy_neon(const float* logits, const int32_t* targets, int64_t begin, int64_t end,
                           int32_t vocabulary, float row_scale, float* losses, float* gradient) {
    cross_entropy_loop(logits, targets, begin, end, vocabulary, row_scale, losses, gradient);
}
#endif
