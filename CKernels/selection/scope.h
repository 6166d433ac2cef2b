/* What entries run on: a table of variants and a number of threads. Knows no kernel. */
#ifndef CK_SELECTION_SCOPE_H
#define CK_SELECTION_SCOPE_H

#include <stdint.h>

struct ck_table;

typedef struct ck_scope {
    const struct ck_table* table;
    const char* isa;
    int32_t threads; /* as asked for, whether or not the build has OpenMP */
} ck_scope_t;

/* This thread's scope: the one that ck_with made around this call, else the process's, which the
 * first use settles. */
const ck_scope_t* ck_scope(void);

/* Makes `scope` this thread's, until the next call; NULL stands for the process's. Gives what to
 * call it with afterwards. A thread that takes a share of another's work enters the other's
 * scope. */
const ck_scope_t* ck_enter_scope(const ck_scope_t* scope);

#endif
