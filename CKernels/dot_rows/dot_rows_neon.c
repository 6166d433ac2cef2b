/* The loop of dot_rows_loop.h, compiled for NEON, which every ARMv8 has. */
#if defined(__aarch64__)
#include "dispatch/dispatch.h"
#include "dot_rows/dot_rows_loop.h"

void ck_dot_rows_neon(const float* vectors, const float* query, int64_t begin, int64_t end,
                      int32_t width, float* scores) {
    dot_rows_loop(vectors, query, begin, end, width, scores);
}

void ck_dot_rows_int8_neon(const int8_t* vectors, const float* scales, const int8_t* query,
                           float query_scale, int64_t begin, int64_t end, int32_t width,
                           float* scores) {
    dot_rows_int8_loop(vectors, scales, query, query_scale, begin, end, width, scores);
}
#endif
