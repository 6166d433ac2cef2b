/* How much arithmetic a core does when it does nothing else: the limit of every product of many
 * rows. */
#ifndef PEAK_ARITHMETIC_H
#define PEAK_ARITHMETIC_H

#include <stdint.h>

/* Runs the multiply-add instruction that a kernel variant (such as "matmul_int8", "avx512vnni") is
 * made of, on registers alone, `rounds` times over many independent sums. Gives the operations
 * done, a multiplication and an addition being two; 0 where there is no such loop, as for scalar
 * variants. The processor must be able to run the variant. */
int64_t peak_arithmetic(const char* kernel, const char* variant, int64_t rounds);

#endif
