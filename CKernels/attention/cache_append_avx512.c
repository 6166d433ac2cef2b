/* Rows of x [tokens, kv_heads, head_dim] into a cache [kv_heads, capacity, head_dim], f32 or f16 (to nearest
 * even). Limit: memory bandwidth; sixteen conversions an instruction, tails masked. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "attention/attention.h"
#include "dispatch/dispatch.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,f16c"))), \
                             apply_to = function)

void ck_cache_append_avx512(const ck_attention_shape_t* shape, const float* x, int64_t begin,
                            int64_t end, ck_cache_t cache) {
    if (cache.dtype == CK_F32) {
        ck_cache_append_scalar(shape, x, begin, end, cache);
        return;
    }
    const int64_t width = shape->head_dim;
    for (int64_t item = begin; item < end; item++) {
        const int64_t t = item / shape->kv_heads, h = item % shape->kv_heads;
        const float* row = x + item * width;
        uint16_t* out = (uint16_t*)cache.data + (h * shape->capacity + shape->past + t) * width;
        for (int64_t i = 0; i < width; i += 16) {
            const __mmask16 mask = (__mmask16)(width - i >= 16 ? 0xffff : (1 << (width - i)) - 1);
            const __m256i half = _mm512_cvtps_ph(_mm512_maskz_loadu_ps(mask, row + i),
                                                 _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
            _mm256_mask_storeu_epi16(out + i, mask, half);
        }
    }
}

#pragma clang attribute pop
#endif
