/* Greedy choice of a token. A vocabulary's logits are read in less time than threads take to wake
 * up, so this runs on the caller's. */
#include "CKernels.h"
#include "selection/table.h"

int64_t ck_argmax(const float* x, int64_t count) { return ck_table()->argmax(x, 0, count); }
