/* The loop of rope_loop.h, compiled for NEON, which every ARMv8 has. */
#if defined(__aarch64__)
#include "selection/table.h"

#define CK_LANES 4

#include "rope/rope_loop.h"

void ck_rope_neon(float* x, const int32_t* positions, const float* frequencies, int64_t begin,
                  int64_t end, int32_t heads, int32_t head_dim, bool inverse) {
    rope_loop(x, positions, frequencies, begin, end, heads, head_dim, inverse);
}
#endif
