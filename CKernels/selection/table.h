/* The dispatch table: a function pointer per kernel. Drivers call ck_table()-><kernel>(…) and never
 * ask which ISA they run on. */
#ifndef CK_SELECTION_TABLE_H
#define CK_SELECTION_TABLE_H

#include "selection/kernels.h"

typedef struct ck_table {
#define CK_KERNEL(kernel) ck_##kernel##_fn* kernel;
    CK_KERNELS(CK_KERNEL)
#undef CK_KERNEL
} ck_table_t;

/* This thread's table (see scope.h). */
const ck_table_t* ck_table(void);

/* Every variant's prototype, from its registry line. */
#define CK_VARIANT(kernel, name, isa, features) extern ck_##kernel##_fn ck_##kernel##_##name;
#include "selection/registry.def"
#undef CK_VARIANT

#endif
