#ifndef CK_GELU_H
#define CK_GELU_H

#include <stdint.h>

/* Elements begin ..< end of ck_gelu. */
typedef void ck_gelu_fn(const float* x, int64_t begin, int64_t end, float* out);

#endif
