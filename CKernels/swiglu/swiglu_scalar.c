/* gate, up, out [count].  out = gate / (1 + e^-gate) * up */
#include <math.h>

#include "selection/table.h"

void ck_swiglu_scalar(const float* gate, const float* up, int64_t begin, int64_t end, float* out) {
    for (int64_t i = begin; i < end; i++) out[i] = gate[i] / (1 + expf(-gate[i])) * up[i];
}
