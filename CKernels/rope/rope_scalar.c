/* x [tokens, heads, head_dim], in place; positions [tokens]; frequencies [head_dim/2].
 * a = positions[t] * frequencies[i] (rounded to f32, as the models were trained), negated where
 * inverse; u = x[i], v = x[i + head_dim/2]:
 * x[i] = u cos a - v sin a;  x[i + head_dim/2] = v cos a + u sin a */
#include <math.h>

#include "selection/table.h"

void ck_rope_scalar(float* x, const int32_t* positions, const float* frequencies, int64_t begin,
                    int64_t end, int32_t heads, int32_t head_dim, bool inverse) {
    const int32_t half = head_dim / 2;
    for (int64_t t = begin; t < end; t++) {
        for (int32_t i = 0; i < half; i++) {
            const float angle = (float)positions[t] * frequencies[i];
            const float c = (float)cos(angle);
            const float s = (float)sin(inverse ? -angle : angle);
            for (int32_t h = 0; h < heads; h++) {
                float* pair = x + (t * heads + h) * head_dim + i;
                const float u = pair[0], v = pair[half];
                pair[0] = u * c - v * s;
                pair[half] = v * c + u * s;
            }
        }
    }
}
