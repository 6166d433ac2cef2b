#ifndef CK_LAYERNORM_H
#define CK_LAYERNORM_H

#include <stdint.h>

/* Rows begin ..< end of ck_layernorm. */
typedef void ck_layernorm_fn(const float* x, const float* w, const float* b, int64_t begin,
                             int64_t end, int32_t width, float eps, float* y);

#endif
