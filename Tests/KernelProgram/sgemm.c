/* c = a b + beta c, or a bᵀ: what CKernels uses of Accelerate's cblas_sgemm, in its place where
 * kernels for Apple's processors run under emulation or with sanitizers. Arguments that CKernels
 * never passes end the
 * program. */
#include "matmul/matmul_accelerate.h"

#if CK_HAS_ACCELERATE
#include <stdlib.h>

enum { ROW_MAJOR = 101, AS_IS = 111, TRANSPOSED = 112 };

/* Accelerate's threads, of which there are none here. */
int BLASSetThreading(unsigned int model) {
    (void)model;
    return 0;
}

void cblas_sgemm(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha,
                 const float* a, int lda, const float* b, int ldb, float beta, float* c, int ldc) {
    const int narrowest_b = transpose_b == TRANSPOSED ? k : n;
    if (order != ROW_MAJOR || transpose_a != AS_IS || alpha != 1 || (beta != 0 && beta != 1) ||
        lda < k || ldb < narrowest_b || ldc < n) {
        abort();
    }
    for (int i = 0; i < m; i++) {
        for (int j = 0; j < n; j++) {
            float sum = 0;
            for (int l = 0; l < k; l++) {
                sum +=
                    a[(size_t)i * lda + l] *
                    (transpose_b == TRANSPOSED ? b[(size_t)j * ldb + l] : b[(size_t)l * ldb + j]);
            }
            float* out = c + (size_t)i * ldc + j;
            *out = beta == 0 ? sum : *out + sum;
        }
    }
}
#endif
