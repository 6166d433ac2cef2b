#ifndef CK_ROPE_H
#define CK_ROPE_H

#include <stdbool.h>
#include <stdint.h>

/* Tokens begin ..< end of ck_rope. */
typedef void ck_rope_fn(float* x, const int32_t* positions, const float* frequencies, int64_t begin,
                        int64_t end, int32_t heads, int32_t head_dim, bool inverse);

#endif
