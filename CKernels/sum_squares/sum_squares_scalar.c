/* x [count]; Σ x[i]² in double, from first to last: the specification of the other variants. */
#include "selection/table.h"

double ck_sum_squares_scalar(const float* x, int64_t count) {
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += (double)x[i] * x[i];
    return sum;
}
