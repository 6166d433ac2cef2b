/* The loop of the AVX2 and NEON variants. x [tokens, heads, head_dim], in place; positions
 * [tokens]; frequencies [head_dim/2]. a = positions[t] * frequencies[i], negated where inverse; u =
 * x[i],
 * v = x[i + head_dim/2]:  x[i] = u cos a - v sin a;  x[i + head_dim/2] = v cos a + u sin a
 * Limit: one read and one write of x. Sines and cosines of a run of frequencies serve every
 * head. */
#ifndef CK_ROPE_LOOP_H
#define CK_ROPE_LOOP_H

#include <stdbool.h>

#include "math/sincos.h"
#include "math/vector.h"

enum { RUN = 64 };

static inline void rope_loop(float* x, const int32_t* positions, const float* frequencies,
                             int64_t begin, int64_t end, int32_t heads, int32_t head_dim,
                             bool inverse) {
    const int32_t half = head_dim / 2;
    for (int64_t t = begin; t < end; t++) {
        for (int32_t first = 0; first < half; first += RUN) {
            const int32_t count = half - first < RUN ? half - first : RUN;
            const float position = (float)positions[t];
            float s[RUN] = {0}, c[RUN] = {0}; /* whole vectors of them are read */
            for (int32_t i = 0; i < count; i++) {
                ck_sincos(position * frequencies[first + i], &s[i], &c[i]);
            }
            for (int32_t i = 0; inverse && i < count; i++) s[i] = -s[i];
            for (int32_t h = 0; h < heads; h++) {
                float *low = x + (t * heads + h) * head_dim + first, *high = low + half;
                for (int32_t i = 0; i < count; i += CK_LANES) {
                    const int32_t left = count - i;
                    const vec_t sine = vec_load(s + i), cosine = vec_load(c + i);
                    const vec_t u = vec_load_part(low + i, left, 0);
                    const vec_t v = vec_load_part(high + i, left, 0);
                    vec_store_part(low + i, left, vec_fma(u, cosine, -(v * sine)));
                    vec_store_part(high + i, left, vec_fma(v, cosine, u * sine));
                }
            }
        }
    }
}

#endif
