#ifndef CK_DOT_ROWS_H
#define CK_DOT_ROWS_H

#include <stdint.h>

/* Scores begin ..< end of ck_dot_rows. */
typedef void ck_dot_rows_fn(const float* vectors, const float* query, int64_t begin, int64_t end,
                            int32_t width, float* scores);

#endif
