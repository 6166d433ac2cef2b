/* What the processor offers, and the OS saves across context switches. */
#ifndef CK_SELECTION_FEATURES_H
#define CK_SELECTION_FEATURES_H

#include <stdint.h>

enum {
    CK_HAS_AVX2 = 1 << 0,         /* AVX2, FMA and F16C */
    CK_HAS_AVX512 = 1 << 1,       /* AVX-512 F, BW, DQ, VL (and CK_HAS_AVX2) */
    CK_HAS_AVX512VNNI = 1 << 2,   /* 8-bit dot products */
    CK_HAS_AVX512BF16 = 1 << 3,   /* bf16 dot products */
    CK_HAS_NEON = 1 << 4,         /* ARMv8 baseline */
    CK_HAS_DOTPROD = 1 << 5,      /* sdot, udot */
    CK_HAS_I8MM = 1 << 6,         /* smmla, usdot */
    CK_HAS_NEON_BF16 = 1 << 7,    /* bfdot, bfmmla */
    CK_HAS_AVX512POPCNT = 1 << 8, /* AVX-512 VPOPCNTDQ */
};

uint32_t ck_features(void);

#endif
