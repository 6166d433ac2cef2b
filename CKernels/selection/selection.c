/* Tables of variants, all scalar first and then overridden upward in the registry's order; the
 * settings of the process, fixed once; and those of single threads. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "CKernels.h"
#include "selection/features.h"
#include "selection/scope.h"
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

/* ---- Variants ------------------------------------------------------------------------------ */

/* Asked for once: under a virtual machine a question to the processor takes a microsecond or
 * more. */
static uint32_t features;
static pthread_once_t features_once = PTHREAD_ONCE_INIT;

static void find_features(void) { features = ck_features(); }

static bool has_features(uint32_t wanted) {
    pthread_once(&features_once, find_features);
    return (features & wanted) == wanted;
}

static void point(ck_table_t* table, const entry_t* entry) {
    memcpy((char*)table + entry->slot, &entry->function, sizeof entry->function);
}

static bool supported(const entry_t* entry) { return has_features(entry->features); }

static bool isa_supported(isa_t isa) { return has_features(isa_features[isa]); }

static void fill(ck_table_t* table, isa_t isa) {
    /* from scratch, so that a kernel without a variant in this ISA (bf16 products) is not left
     * over */
    memset(table, 0, sizeof *table);
    for (int i = 0; i < ENTRY_COUNT; i++) {
        if (entries[i].isa <= isa && supported(&entries[i])) point(table, &entries[i]);
    }
}

static ck_status_t parse(const char* name, isa_t* isa) {
    for (int i = 0; i < ISA_COUNT; i++) {
        if (strcmp(name, isa_names[i]) != 0) continue;
        *isa = (isa_t)i;
        return isa_supported(*isa) ? CK_OK : CK_UNSUPPORTED;
    }
    return CK_UNKNOWN_VARIANT;
}

static ck_status_t find_variant(const char* kernel, const char* name, const entry_t** entry) {
    for (int i = 0; i < ENTRY_COUNT; i++) {
        if (strcmp(entries[i].kernel, kernel) || strcmp(entries[i].name, name)) continue;
        *entry = &entries[i];
        return supported(&entries[i]) ? CK_OK : CK_UNSUPPORTED;
    }
    return CK_UNKNOWN_VARIANT;
}

/* ---- The process --------------------------------------------------------------------------- */

static ck_table_t process_table;
static ck_scope_t process; /* written under the lock, before is_settled is; never after */
static atomic_bool is_settled = false;
static pthread_mutex_t settling = PTHREAD_MUTEX_INITIALIZER;

const char* ck_requested_isa(void) {
    const char* asked = getenv("CIRCADIA_ISA");
    return asked && *asked ? asked : NULL;
}

/* The ISA of that name; for NULL what CIRCADIA_ISA asks for, else the best one. */
static ck_status_t choose(const char* name, isa_t* isa) {
    if (!name) name = ck_requested_isa();
    if (name) return parse(name, isa);
    *isa = SCALAR;
    for (int i = 0; i < ISA_COUNT; i++) {
        if (isa_supported((isa_t)i)) *isa = (isa_t)i;
    }
    return CK_OK;
}

static int32_t thread_count(int32_t asked) {
    if (asked < 1) asked = (int32_t)sysconf(_SC_NPROCESSORS_ONLN);
    return asked < 1 ? 1 : asked;
}

/* With the lock held. */
static void settle(int32_t threads, isa_t isa) {
    fill(&process_table, isa);
    process = (ck_scope_t){&process_table, isa_names[isa], thread_count(threads)};
    atomic_store_explicit(&is_settled, true, memory_order_release);
}

ck_status_t ck_configure(int32_t threads, const char* name) {
    isa_t isa;
    ck_status_t status = choose(name, &isa);
    if (status != CK_OK) return status;
    pthread_mutex_lock(&settling);
    if (!is_settled) {
        settle(threads, isa);
    } else if (process.isa != isa_names[isa] || process.threads != thread_count(threads)) {
        status = CK_ALREADY_CONFIGURED;
    }
    pthread_mutex_unlock(&settling);
    return status;
}

/* ---- Scopes -------------------------------------------------------------------------------- */

static _Thread_local const ck_scope_t* own = NULL;

const ck_scope_t* ck_enter_scope(const ck_scope_t* scope) {
    const ck_scope_t* before = own;
    own = scope;
    return before;
}

const ck_scope_t* ck_scope(void) {
    if (own) return own;
    if (!atomic_load_explicit(&is_settled, memory_order_acquire)) {
        isa_t isa;
        if (choose(NULL, &isa) != CK_OK) isa = SCALAR;
        pthread_mutex_lock(&settling);
        if (!is_settled) settle(0, isa);
        pthread_mutex_unlock(&settling);
    }
    return &process;
}

const ck_table_t* ck_table(void) { return ck_scope()->table; }

ck_status_t ck_with(const ck_settings_t* settings, void (*body)(void* context), void* context) {
    ck_scope_t scope = *ck_scope();
    ck_table_t table = *scope.table;
    scope.table = &table;
    if (settings->isa) {
        isa_t isa;
        const ck_status_t status = parse(settings->isa, &isa);
        if (status != CK_OK) return status;
        fill(&table, isa);
        scope.isa = isa_names[isa];
    }
    if (settings->kernel) {
        const entry_t* entry;
        const ck_status_t status = find_variant(settings->kernel, settings->variant, &entry);
        if (status != CK_OK) return status;
        point(&table, entry);
    }
    if (settings->threads > 0) scope.threads = settings->threads;
    const ck_scope_t* outside = ck_enter_scope(&scope);
    body(context);
    ck_enter_scope(outside);
    return CK_OK;
}

/* ---- What there is ------------------------------------------------------------------------- */

int32_t ck_variant_count(void) { return ENTRY_COUNT; }

ck_variant_t ck_variant_at(int32_t index) {
    const entry_t* entry = &entries[index];
    any_fn* current;
    memcpy(&current, (const char*)ck_table() + entry->slot, sizeof current);
    return (ck_variant_t){entry->kernel, entry->name, isa_names[entry->isa], supported(entry),
                          current == entry->function};
}

const char* ck_isa(void) { return ck_scope()->isa; }

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
        case CK_ALREADY_CONFIGURED:
            return "other threads or another ISA are in use already";
    }
    return "unknown status";
}
