/* The loops, one per instruction, and what they share. */
#ifndef PEAK_LOOPS_H
#define PEAK_LOOPS_H

#include <stdint.h>

typedef struct {
    const char *kernel, *variant; /* as in CKernels/selection/registry.def */
    int32_t operations;           /* of one instruction */
    void (*run)(int64_t rounds);  /* PEAK_SUMS instructions a round */
} peak_loop_t;

extern const peak_loop_t peak_loops[];
extern const int32_t peak_loop_count;

/* Independent sums: more than the latency of any multiply-add times its throughput, fewer than the
 * registers of any ISA, two factors included. */
#define PEAK_SUMS 12

#endif
