/* gradient, parameter, m, v [count]; the formula is in adam.h.
 * The specification of the other variants. */
#include <math.h>

#include "selection/table.h"

void ck_adam_scalar(const ck_adam_terms_t* terms, const float* gradient, int64_t begin, int64_t end,
                    float* parameter, float* m, float* v) {
    for (int64_t i = begin; i < end; i++) {
        const float g = terms->gradient_scale * gradient[i];
        m[i] = terms->beta1 * m[i] + terms->rest1 * g;
        v[i] = terms->beta2 * v[i] + terms->rest2 * g * g;
        const float step = terms->rate * m[i] / (sqrtf(terms->unbias2 * v[i]) + terms->epsilon);
        parameter[i] = terms->keep * parameter[i] - step;
    }
}
