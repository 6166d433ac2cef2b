/* What a variant of each kernel looks like: pure functions over a range of rows. CK_KERNEL(name)
 * lists the kernels; the typedef ck_<name>_fn in the kernel's own header gives the signature. */
#ifndef CK_SELECTION_KERNELS_H
#define CK_SELECTION_KERNELS_H

#include "adam/adam.h"
#include "add/add.h"
#include "argmax/argmax.h"
#include "attention/attention.h"
#include "bm25/bm25.h"
#include "cross_entropy/cross_entropy.h"
#include "dot_rows/dot_rows.h"
#include "fuse_scores/fuse_scores.h"
#include "gelu/gelu.h"
#include "layernorm/layernorm.h"
#include "lora/lora.h"
#include "matmul/matmul.h"
#include "quantize_int8/quantize_int8.h"
#include "rmsnorm/rmsnorm.h"
#include "rmsnorm_backward/rmsnorm_backward.h"
#include "rope/rope.h"
#include "sum_squares/sum_squares.h"
#include "swiglu/swiglu.h"

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
    CK_KERNEL(rmsnorm)                \
    CK_KERNEL(cache_append)           \
    CK_KERNEL(attention)              \
    CK_KERNEL(attention_backward)     \
    CK_KERNEL(rmsnorm_backward_x)     \
    CK_KERNEL(layernorm)              \
    CK_KERNEL(rope)                   \
    CK_KERNEL(swiglu)                 \
    CK_KERNEL(swiglu_backward)        \
    CK_KERNEL(gelu)                   \
    CK_KERNEL(add)                    \
    CK_KERNEL(add_bias)               \
    CK_KERNEL(argmax)                 \
    CK_KERNEL(dot_rows)               \
    CK_KERNEL(dot_rows_int8)          \
    CK_KERNEL(dot_rows_bits)          \
    CK_KERNEL(bm25)                   \
    CK_KERNEL(fuse_scores)

#endif
