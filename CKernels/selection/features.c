#include "selection/features.h"

#if defined(__x86_64__)
#include <cpuid.h>

/* XCR0 says which register state the OS saves: bits 1, 2 for ymm, 5 to 7 for zmm. */
static uint64_t saved_state(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return ((uint64_t)high << 32) | low;
}

uint32_t ck_features(void) {
    uint32_t a, b, c, d, found = 0;
    if (!__get_cpuid_count(1, 0, &a, &b, &c, &d)) return 0;
    const uint32_t osxsave = 1u << 27, fma = 1u << 12, f16c = 1u << 29;
    if (!(c & osxsave) || !(c & fma) || !(c & f16c)) return 0;
    const uint64_t saved = saved_state();
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
    if ((saved & 0x6) == 0x6 && (b & (1u << 5))) found |= CK_HAS_AVX2;
    const uint32_t f = 1u << 16, dq = 1u << 17, bw = 1u << 30, vl = 1u << 31;
    const uint32_t wanted = f | dq | bw | vl;
    if ((found & CK_HAS_AVX2) && (saved & 0xe6) == 0xe6 && (b & wanted) == wanted) {
        found |= CK_HAS_AVX512;
        if (c & (1u << 11)) found |= CK_HAS_AVX512VNNI;
        if (c & (1u << 14)) found |= CK_HAS_AVX512POPCNT;
        if (__get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & (1u << 5))) found |= CK_HAS_AVX512BF16;
    }
    return found;
}

#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>

static int offers(const char* name) {
    int value = 0;
    size_t size = sizeof value;
    return sysctlbyname(name, &value, &size, 0, 0) == 0 && value;
}

uint32_t ck_features(void) {
    uint32_t found = CK_HAS_NEON;
    if (offers("hw.optional.arm.FEAT_DotProd")) found |= CK_HAS_DOTPROD;
    if (offers("hw.optional.arm.FEAT_I8MM")) found |= CK_HAS_I8MM;
    if (offers("hw.optional.arm.FEAT_BF16")) found |= CK_HAS_NEON_BF16;
    return found;
}

#elif defined(__aarch64__)
#include <sys/auxv.h>

/* Bits of AT_HWCAP and AT_HWCAP2 from the kernel's asm/hwcap.h. */
uint32_t ck_features(void) {
    const unsigned long first = getauxval(AT_HWCAP), second = getauxval(AT_HWCAP2);
    uint32_t found = CK_HAS_NEON;
    if (first & (1ul << 20)) found |= CK_HAS_DOTPROD;
    if (second & (1ul << 13)) found |= CK_HAS_I8MM;
    if (second & (1ul << 14)) found |= CK_HAS_NEON_BF16;
    return found;
}

#else
uint32_t ck_features(void) { return 0; }
#endif
