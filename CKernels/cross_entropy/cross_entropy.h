#ifndef CK_CROSS_ENTROPY_H
#define CK_CROSS_ENTROPY_H

#include <stdint.h>

/* Rows begin ..< end of ck_cross_entropy; gradient may be NULL or alias logits. Targets are
 * valid. */
typedef void ck_cross_entropy_fn(const float* logits, const int32_t* targets, int64_t begin,
                                 int64_t end, int32_t vocabulary, float row_scale, float* losses,
                                 float* gradient);

#endif
