#ifndef CK_DOT_ROWS_H
#define CK_DOT_ROWS_H

#include <stdint.h>

/* Scores begin ..< end of ck_dot_rows. */
typedef void ck_dot_rows_fn(const float* vectors, const float* query, int64_t begin, int64_t end,
                            int32_t width, float* scores);
/* Scores begin ..< end of ck_dot_rows_int8. */
typedef void ck_dot_rows_int8_fn(const int8_t* vectors, const float* scales, const int8_t* query,
                                 float query_scale, int64_t begin, int64_t end, int32_t width,
                                 float* scores);
/* Scores of the groups begin ..< end of ck_dot_rows_bits, in words a row; query_sum is Σ_j
 * query[j]. */
typedef void ck_dot_rows_bits_fn(const uint8_t* rows, const float* scales, const uint8_t* query,
                                 float query_scale, int32_t query_sum, int64_t begin, int64_t end,
                                 int64_t count, int32_t words, float* scores);

#endif
