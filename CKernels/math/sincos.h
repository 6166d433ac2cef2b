/* Sine and cosine in plain C that compilers vectorise: variants include this inside their target
 * region and loop over it. */
#ifndef CK_MATH_SINCOS_H
#define CK_MATH_SINCOS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* sin and cos of an angle, absolute error below 1.2e-7. The quarter turn nearest to it is taken off
 * in double, because an angle may be many turns: π/2 in two parts leaves 2^-50 of a turn after 2^31
 * radians. Cephes' polynomials on what remains, |remainder| <= π/4, exchanged and negated by the
 * quarter. */
static inline void ck_sincos(float angle, float* sine, float* cosine) {
    const double n = rint((double)angle * 0.63661977236758134308);
    const double left = (angle - n * 1.57079632679489655800) - n * 6.12323399573676603587e-17;
    const int32_t quarter = (int32_t)n;
    const float r = (float)left, z = r * r;
    const float s = ((-1.9515295891e-4f * z + 8.3321608736e-3f) * z - 1.6666654611e-1f) * z * r + r;
    const float c =
        ((2.443315711809948e-5f * z - 1.388731625493765e-3f) * z + 4.166664568298827e-2f) * z * z -
        0.5f * z + 1;
    const float to_sine = quarter & 1 ? c : s, to_cosine = quarter & 1 ? s : c;
    *sine = quarter & 2 ? -to_sine : to_sine;
    *cosine = (quarter + 1) & 2 ? -to_cosine : to_cosine;
}

#endif
