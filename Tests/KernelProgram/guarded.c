#include "guarded.h"

#include <stdlib.h>
#include <string.h>

#if defined(SANITIZED)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

enum { GUARD_SIZE = 256, GUARD_BYTE = 0xa5, ALIGNMENT = 64 };

guarded_t guarded_make(size_t size, size_t misalignment) {
    const size_t total = GUARD_SIZE + misalignment + size + GUARD_SIZE;
    guarded_t memory = {.size = size};
    memory.base = aligned_alloc(ALIGNMENT, (total + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    if (!memory.base) abort();
    memset(memory.base, GUARD_BYTE, total);
    memory.data = memory.base + GUARD_SIZE + misalignment;
    ASAN_POISON_MEMORY_REGION(memory.base, GUARD_SIZE + misalignment);
    ASAN_POISON_MEMORY_REGION(memory.data + size, GUARD_SIZE);
    return memory;
}

void guarded_free(guarded_t* memory) {
    free(memory->base); /* what is poisoned is made whole when the memory is given out again */
    *memory = (guarded_t){0};
}

int guarded_overrun(const guarded_t* memory, int64_t* place) {
    if (!memory->base) return 0;
    ASAN_UNPOISON_MEMORY_REGION(memory->base,
                                (size_t)(memory->data - memory->base) + memory->size + GUARD_SIZE);
    for (const unsigned char* p = memory->data; p-- > memory->base;) {
        if (*p == GUARD_BYTE) continue;
        *place = p - memory->data;
        return 1;
    }
    const unsigned char* end = memory->data + memory->size;
    for (int64_t i = 0; i < GUARD_SIZE; i++) {
        if (end[i] == GUARD_BYTE) continue;
        *place = i;
        return 1;
    }
    return 0;
}
