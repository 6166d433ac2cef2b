/* Memory between two guards of known bytes: a write outside it does not go unseen. Where the
 * program is built with AddressSanitizer the guards are poisoned, so that a read of them ends it as
 * well. */
#ifndef GUARDED_H
#define GUARDED_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    unsigned char* base; /* 64-byte aligned */
    unsigned char* data;
    size_t size;
} guarded_t;

/* `size` bytes that begin `misalignment` bytes after a multiple of 64. */
guarded_t guarded_make(size_t size, size_t misalignment);
void guarded_free(guarded_t* memory);

/* Whether a guard was written to; *place is how far outside: negative before the start, counted
 * from the end otherwise. The guards can be read, and no longer watch for reads, after it. */
int guarded_overrun(const guarded_t* memory, int64_t* place);

#endif
