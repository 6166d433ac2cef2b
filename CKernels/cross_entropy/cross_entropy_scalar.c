/* logits, gradient [tokens, vocabulary]; targets, losses [tokens].
 * losses[t] = max + ln Σ_v e^(logits[t, v] - max) - logits[t, target]
 * gradient[t, v] = row_scale * (e^(logits[t, v] - max) / Σ - [v = target])
 * The sum is kept in double: the specification of the other variants. A row that holds NaN or +Inf
 * has a loss that is not finite. */
#include <math.h>

#include "selection/table.h"

void ck_cross_entropy_scalar(const float* logits, const int32_t* targets, int64_t begin,
                             int64_t end, int32_t vocabulary, float row_scale, float* losses,
                             float* gradient) {
    for (int64_t t = begin; t < end; t++) {
        const float* row = logits + t * vocabulary;
        float max = row[0];
        for (int32_t v = 1; v < vocabulary; v++) max = row[v] > max ? row[v] : max;
        double sum = 0;
        for (int32_t v = 0; v < vocabulary; v++) sum += exp((double)row[v] - max);
        losses[t] = (float)(max + log(sum) - row[targets[t]]);
        if (!gradient) continue;
        float* out = gradient + t * vocabulary;
        for (int32_t v = 0; v < vocabulary; v++) {
            out[v] = (float)(row_scale * (exp((double)row[v] - max) / sum));
        }
        out[targets[t]] -= row_scale;
    }
}
