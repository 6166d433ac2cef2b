/* The allocator's entries once more, each counting a call and handing it on: what a program defines
 * goes before what its libraries define, for Swift's runtime and libomp as well. glibc gives the
 * entries a second name, so that no look-up at run time is needed (dlsym allocates). */
#include "allocation_counter.h"

#if defined(__GLIBC__) || defined(__linux__)
#include <features.h>
#endif

#if defined(__GLIBC__)
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

extern void* __libc_malloc(size_t size);
extern void* __libc_calloc(size_t count, size_t size);
extern void* __libc_realloc(void* memory, size_t size);
extern void* __libc_memalign(size_t alignment, size_t size);

static _Atomic int64_t allocations = 0;

static void count(void) { atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed); }

int64_t allocation_count(void) { return atomic_load(&allocations); }

void* malloc(size_t size) {
    count();
    return __libc_malloc(size);
}

void* calloc(size_t items, size_t size) {
    count();
    return __libc_calloc(items, size);
}

void* realloc(void* memory, size_t size) {
    count();
    return __libc_realloc(memory, size);
}

void* memalign(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

void* aligned_alloc(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void** memory, size_t alignment, size_t size) {
    if (alignment % sizeof(void*) || (alignment & (alignment - 1)) || alignment == 0) return EINVAL;
    count();
    void* made = __libc_memalign(alignment, size);
    if (!made) return ENOMEM;
    *memory = made;
    return 0;
}
#else
int64_t allocation_count(void) { return -1; }
#endif
