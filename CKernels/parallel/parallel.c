#include "parallel/parallel.h"

#include <unistd.h>

#include "CKernels.h"

static int32_t thread_count = 0;

void ck_set_threads(int32_t n) {
    if (n < 1) n = (int32_t)sysconf(_SC_NPROCESSORS_ONLN);
    thread_count = n < 1 ? 1 : n;
}

int32_t ck_threads(void) {
    if (thread_count == 0) ck_set_threads(0);
    return ck_has_threads() ? thread_count : 1;
}

bool ck_has_threads(void) {
#ifdef _OPENMP
    return true;
#else
    return false;
#endif
}

void ck_parallel(int64_t count, int64_t grain, ck_body_t* body, void* context) {
    const int64_t grains = (count + grain - 1) / grain;
    const int64_t parts = grains < ck_threads() ? grains : ck_threads();
    if (parts <= 1) {
        if (count > 0) body(context, 0, count, 0);
        return;
    }
#pragma omp parallel for num_threads((int)parts) schedule(static, 1)
    for (int64_t part = 0; part < parts; part++) {
        const int64_t begin = grains * part / parts * grain;
        const int64_t end = grains * (part + 1) / parts * grain;
        body(context, begin, end < count ? end : count, (int32_t)part);
    }
}

void ck_parallel_dynamic(int64_t count, int64_t grain, ck_body_t* body, void* context) {
    const int64_t grains = (count + grain - 1) / grain;
    const int32_t threads = ck_threads();
    if (grains <= 1 || threads == 1) {
        if (count > 0) body(context, 0, count, 0);
        return;
    }
    int64_t next = 0;
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int32_t thread = 0; thread < threads; thread++) {
        for (;;) {
            const int64_t taken = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED);
            if (taken >= grains) break;
            const int64_t begin = taken * grain;
            const int64_t end = begin + grain;
            body(context, begin, end < count ? end : count, thread);
        }
    }
}
