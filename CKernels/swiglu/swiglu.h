#ifndef CK_SWIGLU_H
#define CK_SWIGLU_H

#include <stdint.h>

/* Elements begin ..< end of ck_swiglu. */
typedef void ck_swiglu_fn(const float* gate, const float* up, int64_t begin, int64_t end,
                          float* out);
/* Elements begin ..< end of ck_swiglu_backward. */
typedef void ck_swiglu_backward_fn(const float* gate, const float* up, const float* dout,
                                   int64_t begin, int64_t end, float* dgate, float* dup);

#endif
