/* IEEE binary16 in plain C, for the scalar variants; ISAs have instructions for it. */
#ifndef CK_MATH_HALF_H
#define CK_MATH_HALF_H

#include <stdint.h>
#include <string.h>

/* The binary16 nearest to x, ties to even; too large becomes infinity. */
static inline uint16_t ck_to_f16(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint16_t sign = (uint16_t)((bits >> 16) & 0x8000);
    bits &= 0x7fffffff;
    if (bits > 0x7f800000) return sign | 0x7e00;
    if (bits >= 0x477ff000) return sign | 0x7c00;
    if (bits < 0x38800000) { /* subnormal: let f32 addition round to a multiple of 2^-24 */
        float magnitude;
        memcpy(&magnitude, &bits, sizeof bits);
        magnitude += 0.5f;
        memcpy(&bits, &magnitude, sizeof bits);
        return (uint16_t)(sign | (bits - 0x3f000000));
    }
    const uint32_t rounded = bits + 0xfff + ((bits >> 13) & 1);
    return (uint16_t)(sign | ((rounded - 0x38000000) >> 13));
}

#endif
