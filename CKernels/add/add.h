#ifndef CK_ADD_H
#define CK_ADD_H

#include <stdint.h>

/* Elements begin ..< end of ck_add. */
typedef void ck_add_fn(float* y, const float* x, int64_t begin, int64_t end);
/* Rows begin ..< end of ck_add_bias. */
typedef void ck_add_bias_fn(float* y, const float* b, int64_t begin, int64_t end, int32_t width);

#endif
