/* The loop of dot_rows_loop.h, compiled for NEON, which every ARMv8 has. */
#if defined(__aarch64__)
#include "dot_rows/dot_rows_bits_loop.h"
#include "dot_rows/dot_rows_loop.h"
#include "selection/table.h"

void ck_dot_rows_neon(const float* vectors, const float* query, int64_t begin, int64_t end,
                      int32_t width, float* scores) {
    dot_rows_loop(vectors, query, begin, end, width, scores);
}

void ck_dot_rows_int8_neon(const int8_t* vectors, const float* scales, const int8_t* query,
                           float query_scale, int64_t begin, int64_t end, int32_t width,
                           float* scores) {
    dot_rows_int8_loop(vectors, scales, query, query_scale, begin, end, width, scores);
}

void ck_dot_rows_bits_neon(const uint8_t* rows, const float* scales, const uint8_t* query,
                           float query_scale, int32_t query_sum, int64_t begin, int64_t end,
                           int64_t count, int32_t words, float* scores) {
    dot_rows_bits_loop(rows, scales, query, query_scale, query_sum, begin, end, count, words,
                       scores);
}
#endif
