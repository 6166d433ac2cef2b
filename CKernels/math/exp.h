/* e^x and what follows from it, in plain C that compilers vectorise: variants include this inside
 * their target region and loop over it. */
#ifndef CK_MATH_EXP_H
#define CK_MATH_EXP_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* e^x for finite x, relative error below 3e-7: x = n ln 2 + r, |r| <= ln 2 / 2, a polynomial of
 * degree 6 for e^r (Cephes' coefficients), and n added to the exponent. Below -87 it is 1.6e-38,
 * not 0; above 88 it is 1.7e38. */
static inline float ck_exp(float x) {
    x = x < -87.0f ? -87.0f : x;
    x = x > 88.0f ? 88.0f : x;
    const float n = rintf(x * 1.44269504f);
    const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1;
    const int32_t bits = ((int32_t)n + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return p * power;
}

static inline float ck_sigmoid(float x) { return 1 / (1 + ck_exp(-x)); }

/* erf x, absolute error below 2e-7 (Abramowitz and Stegun 7.1.26). */
static inline float ck_erf(float x) {
    const float a = fabsf(x), t = 1 / (1 + 0.3275911f * a);
    float p = 1.061405429f;
    p = p * t - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    return copysignf(1 - p * t * ck_exp(-a * a), x);
}

#endif
