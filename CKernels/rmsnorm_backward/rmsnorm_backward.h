#ifndef CK_RMSNORM_BACKWARD_H
#define CK_RMSNORM_BACKWARD_H

#include <stdint.h>

/* Rows begin ..< end of ck_rmsnorm_backward_x. */
typedef void ck_rmsnorm_backward_x_fn(const float* x, const float* w, const float* rstd,
                                      const float* dy, int64_t begin, int64_t end, int32_t width,
                                      float* dx);

#endif
