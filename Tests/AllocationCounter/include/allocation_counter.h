/* Counts the allocations of a process that this target is linked into. */
#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

#include <stdint.h>

/* Allocations of all threads so far; -1 where they cannot be counted (only glibc can). */
int64_t allocation_count(void);

#endif
