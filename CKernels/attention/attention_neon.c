/* Attention, its gradients and the appending to its caches: the loops of this folder, compiled for
 * NEON, which every ARMv8 has. */
#if defined(__aarch64__)
#include "selection/table.h"

#define CK_LANES 4

#include "attention/attention_backward_loops.h"
#include "attention/attention_loops.h"
#include "attention/cache_append_loop.h"

void ck_attention_neon(const ck_attention_tile_t* tile) { attention_loop(tile); }

void ck_attention_backward_neon(const ck_attention_head_t* head) { attention_backward_loop(head); }

void ck_cache_append_neon(const ck_attention_shape_t* shape, const float* k, const float* v,
                          int64_t begin, int64_t end, ck_cache_t cache) {
    cache_append_loop(shape, k, v, begin, end, cache);
}
#endif
