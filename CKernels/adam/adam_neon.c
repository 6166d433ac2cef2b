/* The loop of adam_loop.h, compiled for NEON, which every ARMv8 has. */
#if defined(__aarch64__)
#include "adam/adam_loop.h"
#include "selection/table.h"

void ck_adam_neon(const ck_adam_terms_t* terms, const float* gradient, int64_t begin, int64_t end,
                  float* parameter, float* m, float* v) {
    adam_loop(terms, gradient, begin, end, parameter, m, v);
}
#endif
