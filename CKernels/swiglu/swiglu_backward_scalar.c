/* gate, up, dout, dgate, dup [count]. With σ = 1 / (1 + e^-gate):
 * dup = dout * gate * σ;  dgate = dout * up * σ * (1 + gate * (1 - σ)) */
#include <math.h>

#include "selection/table.h"

void ck_swiglu_backward_scalar(const float* gate, const float* up, const float* dout, int64_t begin,
                               int64_t end, float* dgate, float* dup) {
    for (int64_t i = begin; i < end; i++) {
        const float g = gate[i], u = up[i], d = dout[i];
        const float sigmoid = 1 / (1 + expf(-g)), rest = 1 / (1 + expf(g));
        dgate[i] = d * u * sigmoid * (1 + g * rest);
        dup[i] = d * g * sigmoid;
    }
}
