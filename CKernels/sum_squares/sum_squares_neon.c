/* The loop of sum_squares_loop.h, compiled for NEON, which every ARMv8 has. */
#if defined(__aarch64__)
#include "selection/table.h"
#include "sum_squares/sum_squares_loop.h"

double ck_sum_squares_neon(const float* x, int64_t count) { return sum_squares_loop(x, count); }
#endif
