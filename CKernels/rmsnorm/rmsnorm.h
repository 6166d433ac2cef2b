#ifndef CK_RMSNORM_H
#define CK_RMSNORM_H

#include <stdint.h>

/* Rows begin ..< end of ck_rmsnorm; rstd may be NULL. */
typedef void ck_rmsnorm_fn(const float* x, const float* w, int64_t begin, int64_t end,
                           int32_t width, float eps, float* y, float* rstd);

#endif
