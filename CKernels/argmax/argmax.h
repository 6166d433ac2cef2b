#ifndef CK_ARGMAX_H
#define CK_ARGMAX_H

#include <stdint.h>

/* The index of the largest of x[begin ..< end], the first of equals; NaN never wins; begin where
 * nothing but NaN is found. */
typedef int64_t ck_argmax_fn(const float* x, int64_t begin, int64_t end);

#endif
