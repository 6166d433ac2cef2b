/* Every entry of CKernels.h that the cross-check calls. A call's integers, floats and operands come
 * in the order of the entry's declaration; those of a weight matrix, and of a call's struct, where
 * they stand there. Swift's NativeKernels makes the same calls through its own door. */
#include <string.h>

#include "CKernels.h"
#include "request.h"

/* The data of operand `index`; NULL where it is absent. */
static void* at(const request_t* r, int index) { return r->memory[index].data; }

static void* workspace(request_t* r, size_t size) {
    r->workspace = guarded_make(size, 0);
    return r->workspace.data;
}

/* ---- Operands that are structs -------------------------------------------------------------- */

/* Packs the matrix whose rows, cols, bits, group size and scale dtype are integers `first` and on,
 * and whose words (or dense values), scales and biases are operands `operand` and on. */
static ck_status_t pack(request_t* r, int first, int operand, ck_matrix_t* matrix) {
    const int32_t* n = r->integers + first;
    const ck_dtype_t dtype = (ck_dtype_t)n[4];
    const size_t size = ck_packed_size(n[0], n[1], n[2], n[3], dtype);
    r->packed = guarded_make(size, 0);
    *matrix = (ck_matrix_t){r->packed.data, dtype, n[0], n[1], n[2], n[3]};
    if (n[2] == 32) return ck_pack_dense(at(r, operand), dtype, n[0], n[1], r->packed.data);
    const ck_affine_t source = {
        at(r, operand), at(r, operand + 1), at(r, operand + 2), dtype, n[0], n[1], n[2], n[3]};
    return ck_pack_affine(&source, r->packed.data);
}

/* Integers 0 … 5 and float 0, with operands 0 and 1 as the keys that each query sees. */
static ck_attention_shape_t attention_shape(const request_t* r) {
    const int32_t* n = r->integers;
    return (ck_attention_shape_t){n[0], n[1],         n[2],     n[3],    n[4],
                                  n[5], r->floats[0], at(r, 0), at(r, 1)};
}

/* Operands `operand` and on: keys, their steps, values, their steps. */
static ck_cache_t cache(const request_t* r, int operand) {
    return (ck_cache_t){at(r, operand), at(r, operand + 2), at(r, operand + 1), at(r, operand + 3),
                        (ck_cache_format_t)r->integers[6]};
}

/* Operands `operand` and on: links, sides, words of the neighbourhood, of the user, of the other
 * side. */
static ck_exchanges_t exchanges(const request_t* r, int64_t count, int operand) {
    return (ck_exchanges_t){count,
                            at(r, operand),
                            at(r, operand + 1),
                            at(r, operand + 2),
                            at(r, operand + 3),
                            at(r, operand + 4)};
}

/* ---- Matrices ------------------------------------------------------------------------------- */

static ck_status_t matmul(request_t* r) {
    const int32_t* n = r->integers;
    const ck_precision_t precision = (ck_precision_t)n[0];
    ck_matrix_t matrix;
    const ck_status_t status = pack(r, 3, 1, &matrix);
    if (status != CK_OK) return status;
    const ck_product_t product = {precision, &matrix, at(r, 4)};
    const size_t size = ck_matmul_workspace(precision, n[1], matrix.rows, matrix.cols);
    return ck_matmul(at(r, 0), n[1], &product, 1, n[2], workspace(r, size), size);
}

static ck_status_t matmul_transposed(request_t* r) {
    const int32_t* n = r->integers;
    const ck_precision_t precision = (ck_precision_t)n[0];
    ck_matrix_t matrix;
    const ck_status_t status = pack(r, 3, 1, &matrix);
    if (status != CK_OK) return status;
    const size_t size = ck_matmul_transposed_workspace(precision, n[1], matrix.rows, matrix.cols);
    return ck_matmul_transposed(precision, at(r, 0), n[1], &matrix, at(r, 4), n[2],
                                workspace(r, size), size);
}

/* ---- Normalisation, position, activation ---------------------------------------------------- */

static ck_status_t rmsnorm(request_t* r) {
    const int32_t* n = r->integers;
    return ck_rmsnorm(at(r, 0), at(r, 1), n[0], n[1], r->floats[0], at(r, 2), at(r, 3));
}

static ck_status_t rmsnorm_backward_x(request_t* r) {
    const int32_t* n = r->integers;
    return ck_rmsnorm_backward_x(at(r, 0), at(r, 1), at(r, 2), at(r, 3), n[0], n[1], at(r, 4));
}

static ck_status_t layernorm(request_t* r) {
    const int32_t* n = r->integers;
    return ck_layernorm(at(r, 0), at(r, 1), at(r, 2), n[0], n[1], r->floats[0], at(r, 3));
}

static ck_status_t rope(request_t* r) {
    const int32_t* n = r->integers;
    return ck_rope(at(r, 0), at(r, 1), at(r, 2), n[0], n[1], n[2], n[3]);
}

static ck_status_t swiglu(request_t* r) {
    return ck_swiglu(at(r, 0), at(r, 1), r->integers[0], r->integers[1], at(r, 2));
}

static ck_status_t swiglu_backward(request_t* r) {
    return ck_swiglu_backward(at(r, 0), at(r, 1), at(r, 2), r->integers[0], at(r, 3), at(r, 4));
}

static ck_status_t gelu(request_t* r) { return ck_gelu(at(r, 0), r->integers[0], at(r, 1)); }

static ck_status_t add_bias(request_t* r) {
    return ck_add_bias(at(r, 0), at(r, 1), r->integers[0], r->integers[1]);
}

static ck_status_t add(request_t* r) { return ck_add(at(r, 0), at(r, 1), r->integers[0]); }

/* ---- Attention ------------------------------------------------------------------------------ */

static ck_status_t cache_append(request_t* r) {
    const ck_attention_shape_t shape = attention_shape(r);
    return ck_cache_append(cache(r, 2), &shape, at(r, 6), at(r, 7));
}

static ck_status_t attention(request_t* r) {
    const ck_attention_shape_t shape = attention_shape(r);
    const size_t size = ck_attention_workspace(&shape);
    return ck_attention(&shape, at(r, 2), cache(r, 3), at(r, 7), at(r, 8), workspace(r, size),
                        size);
}

static ck_status_t attention_backward(request_t* r) {
    const ck_attention_shape_t shape = attention_shape(r);
    const size_t size = ck_attention_backward_workspace(&shape);
    return ck_attention_backward(&shape, at(r, 2), at(r, 3), at(r, 4), at(r, 5), at(r, 6), at(r, 7),
                                 at(r, 8), at(r, 9), at(r, 10), workspace(r, size), size);
}

/* ---- Loss, LoRA, optimiser, search ---------------------------------------------------------- */

static ck_status_t cross_entropy(request_t* r) {
    const int32_t* n = r->integers;
    return ck_cross_entropy(at(r, 0), at(r, 1), n[0], n[1], r->floats[0], at(r, 2), at(r, 3));
}

/* What an entry returns goes to its last operand, one f64. */
static ck_status_t returned(request_t* r, int operand, double value) {
    memcpy(at(r, operand), &value, sizeof value);
    return CK_OK;
}

static ck_status_t argmax(request_t* r) {
    return returned(r, 1, (double)ck_argmax(at(r, 0), r->integers[0]));
}

static ck_status_t sum_squares(request_t* r) {
    return returned(r, 1, ck_sum_squares(at(r, 0), r->integers[0]));
}

static ck_status_t lora(request_t* r) {
    const int32_t* n = r->integers;
    return ck_lora(at(r, 0), at(r, 1), at(r, 2), r->floats[0], n[0], n[1], n[2], n[3], at(r, 3),
                   at(r, 4));
}

static ck_status_t lora_backward(request_t* r) {
    const int32_t* n = r->integers;
    const size_t size = ck_lora_backward_workspace(n[0], n[1], n[2], n[3]);
    return ck_lora_backward(at(r, 0), at(r, 1), at(r, 2), at(r, 3), at(r, 4), r->floats[0], n[0],
                            n[1], n[2], n[3], at(r, 5), at(r, 6), at(r, 7), workspace(r, size),
                            size);
}

static ck_status_t adam(request_t* r) {
    const float* f = r->floats;
    const int32_t* n = r->integers;
    const ck_adam_t options = {f[0], f[1], f[2], f[3], f[4], f[5], n[0], n[1]};
    return ck_adam(&options, at(r, 0), n[2], at(r, 1), at(r, 2), at(r, 3));
}

static ck_status_t dot_rows(request_t* r) {
    return ck_dot_rows(at(r, 0), at(r, 1), r->integers[0], r->integers[1], at(r, 2));
}

static ck_status_t dot_rows_int8(request_t* r) {
    return ck_dot_rows_int8(at(r, 0), at(r, 1), at(r, 2), r->floats[0], r->integers[0],
                            r->integers[1], at(r, 3));
}

static ck_status_t dot_rows_bits(request_t* r) {
    return ck_dot_rows_bits(at(r, 0), at(r, 1), at(r, 2), r->floats[0], r->integers[0],
                            r->integers[1], at(r, 3));
}

static ck_status_t bm25(request_t* r) {
    const float* f = r->floats;
    const int32_t* n = r->integers;
    const ck_bm25_t options = {f[0], f[1], f[2], f[3], f[4], f[5]};
    const ck_exchanges_t all = exchanges(r, n[1], 2);
    return ck_bm25(&options, at(r, 0), at(r, 1), n[0], &all, n[2], at(r, 7), at(r, 8));
}

static ck_status_t fuse_scores(request_t* r) {
    const float* f = r->floats;
    const ck_fusion_t weights = {f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9], f[10]};
    const ck_exchanges_t all = exchanges(r, r->integers[0], 3);
    return ck_fuse_scores(&weights, at(r, 0), at(r, 1), at(r, 2), &all, r->integers[1], at(r, 8),
                          at(r, 9));
}

/* ---- The list ------------------------------------------------------------------------------- */

static const struct {
    const char* name;
    ck_status_t (*run)(request_t*);
} entries[] = {
#define ENTRY(name) {#name, name}
    ENTRY(adam),
    ENTRY(add),
    ENTRY(add_bias),
    ENTRY(argmax),
    ENTRY(attention),
    ENTRY(attention_backward),
    ENTRY(bm25),
    ENTRY(cache_append),
    ENTRY(cross_entropy),
    ENTRY(dot_rows),
    ENTRY(dot_rows_bits),
    ENTRY(dot_rows_int8),
    ENTRY(fuse_scores),
    ENTRY(gelu),
    ENTRY(layernorm),
    ENTRY(lora),
    ENTRY(lora_backward),
    ENTRY(matmul),
    ENTRY(matmul_transposed),
    ENTRY(rmsnorm),
    ENTRY(rmsnorm_backward_x),
    ENTRY(rope),
    ENTRY(sum_squares),
    ENTRY(swiglu),
    ENTRY(swiglu_backward),
#undef ENTRY
};

const char* run_entry(request_t* request) {
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        if (strcmp(entries[i].name, request->header.entry) != 0) continue;
        const ck_status_t status = entries[i].run(request);
        return status == CK_OK ? NULL : ck_status_text(status);
    }
    return "the program of kernels knows no such entry";
}
