#ifndef CK_SUM_SQUARES_H
#define CK_SUM_SQUARES_H

#include <stdint.h>

/* Σ x[i]² of [count], each product and every sum in double. */
typedef double ck_sum_squares_fn(const float* x, int64_t count);

#endif
