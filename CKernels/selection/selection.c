/* Fills the table of variants: all scalar first, then overridden upward by the registry's order. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "CKernels.h"
#include "selection/features.h"
#include "selection/table.h"

typedef enum { SCALAR, AVX2, AVX512, NEON, ISA_COUNT } isa_t;
static const char* const isa_names[ISA_COUNT] = {"scalar", "avx2", "avx512", "neon"};
static const uint32_t isa_features[ISA_COUNT] = {0, CK_HAS_AVX2, CK_HAS_AVX512, CK_HAS_NEON};

typedef void any_fn(void);
typedef struct {
    const char *kernel, *name;
    isa_t isa;
    uint32_t features;
    any_fn* function;
    size_t slot; /* offset of the kernel's pointer in ck_table_t */
} entry_t;

static const entry_t entries[] = {
#define CK_VARIANT(kernel, name, isa, features) \
    {#kernel, #name, isa, features, (any_fn*)ck_##kernel##_##name, offsetof(ck_table_t, kernel)},
#include "selection/registry.def"
#undef CK_VARIANT
};
enum { ENTRY_COUNT = sizeof entries / sizeof entries[0] };

static ck_table_t table;
static isa_t selected = SCALAR;
static ck_status_t selection = CK_OK;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void point(const entry_t* entry) {
    memcpy((char*)&table + entry->slot, &entry->function, sizeof entry->function);
}

static bool supported(const entry_t* entry) {
    return (ck_features() & entry->features) == entry->features;
}

static bool isa_supported(isa_t isa) {
    return (ck_features() & isa_features[isa]) == isa_features[isa];
}

static void fill(isa_t isa) {
    /* from scratch, so that a kernel without a variant in this ISA (bf16 products) is not left
     * over */
    memset(&table, 0, sizeof table);
    for (int i = 0; i < ENTRY_COUNT; i++) {
        if (entries[i].isa <= isa && supported(&entries[i])) point(&entries[i]);
    }
    selected = isa;
}

static ck_status_t parse(const char* name, isa_t* isa) {
    for (int i = 0; i < ISA_COUNT; i++) {
        if (strcmp(name, isa_names[i]) != 0) continue;
        *isa = (isa_t)i;
        return isa_supported(*isa) ? CK_OK : CK_UNSUPPORTED;
    }
    return CK_UNKNOWN_VARIANT;
}

static void select_once(void) {
    const char* asked = getenv("CIRCADIA_ISA");
    isa_t isa = SCALAR;
    if (asked && *asked) {
        selection = parse(asked, &isa);
        fill(selection == CK_OK ? isa : SCALAR);
        return;
    }
    for (int i = 0; i < ISA_COUNT; i++) {
        if (isa_supported((isa_t)i)) isa = (isa_t)i;
    }
    fill(isa);
}

const ck_table_t* ck_table(void) {
    pthread_once(&once, select_once);
    return &table;
}

ck_status_t ck_use_isa(const char* name) {
    ck_table();
    isa_t isa;
    const ck_status_t status = parse(name, &isa);
    if (status == CK_OK) fill(isa);
    return status;
}

ck_status_t ck_use_variant(const char* kernel, const char* name) {
    ck_table();
    for (int i = 0; i < ENTRY_COUNT; i++) {
        if (strcmp(entries[i].kernel, kernel) || strcmp(entries[i].name, name)) continue;
        if (!supported(&entries[i])) return CK_UNSUPPORTED;
        point(&entries[i]);
        return CK_OK;
    }
    return CK_UNKNOWN_VARIANT;
}

int32_t ck_variant_count(void) { return ENTRY_COUNT; }

ck_variant_t ck_variant_at(int32_t index) {
    const entry_t* entry = &entries[index];
    any_fn* current;
    memcpy(&current, (const char*)ck_table() + entry->slot, sizeof current);
    return (ck_variant_t){entry->kernel, entry->name, isa_names[entry->isa], supported(entry),
                          current == entry->function};
}

const char* ck_isa(void) {
    ck_table();
    return isa_names[selected];
}

ck_status_t ck_isa_status(void) {
    ck_table();
    return selection;
}

const char* ck_isa_choices(void) {
    if (isa_supported(NEON)) return "scalar, neon";
    if (isa_supported(AVX512)) return "scalar, avx2, avx512";
    return isa_supported(AVX2) ? "scalar, avx2" : "scalar";
}

const char* ck_status_text(ck_status_t status) {
    switch (status) {
        case CK_OK:
            return "ok";
        case CK_BAD_SHAPE:
            return "dimensions are negative or disagree";
        case CK_BAD_FORMAT:
            return "unknown bits, group size, dtype or precision";
        case CK_BAD_WORKSPACE:
            return "workspace too small or misaligned";
        case CK_BAD_INDEX:
            return "index out of range";
        case CK_UNKNOWN_VARIANT:
            return "no such ISA or variant";
        case CK_UNSUPPORTED:
            return "this processor cannot run that ISA or variant";
    }
    return "unknown status";
}
