/* What a variant of each kernel looks like: pure functions over a range of rows. CK_KERNEL(name)
 * lists the kernels; the typedef ck_<name>_fn in the kernel's own header gives the signature. */
#ifndef CK_DISPATCH_KERNELS_H
#define CK_DISPATCH_KERNELS_H

#include "adam/adam.h"
#include "cross_entropy/cross_entropy.h"
#include "lora/lora.h"
#include "matmul/matmul.h"
#include "rmsnorm/rmsnorm.h"
#include "sum_squares/sum_squares.h"

#define CK_KERNELS(CK_KERNEL)         \
    CK_KERNEL(adam)                   \
    CK_KERNEL(cross_entropy)          \
    CK_KERNEL(lora_down)              \
    CK_KERNEL(lora_up)                \
    CK_KERNEL(lora_outer)             \
    CK_KERNEL(sum_squares)            \
    CK_KERNEL(quantize_int8)          \
    CK_KERNEL(matmul_int8)            \
    CK_KERNEL(matmul_f32)             \
    CK_KERNEL(matmul_bf16)            \
    CK_KERNEL(matmul_transposed_f32)  \
    CK_KERNEL(matmul_transposed_bf16) \
    CK_KERNEL(rmsnorm)

#endif
