#include "peak_arithmetic.h"

#include <string.h>

#include "PeakArithmetic.h"

int64_t peak_arithmetic(const char* kernel, const char* variant, int64_t rounds) {
    for (int32_t i = 0; i < peak_loop_count; i++) {
        const peak_loop_t* loop = &peak_loops[i];
        if (strcmp(loop->kernel, kernel) || strcmp(loop->variant, variant)) continue;
        loop->run(rounds);
        return rounds * PEAK_SUMS * loop->operations;
    }
    return 0;
}
