/* y[t, o] = Σ_k x[t, k] * w[o, k] and dx[t, k] = Σ_o dy[t, o] * w[o, k], f32, by Accelerate's
 * cblas_sgemm.
 * x, y, dy, dx row-major; w packed 16 rows a block.
 * Limit: the matrix units, which no instruction that Apple documents on all its processors reaches:
 * hence the library. A panel of 256 outputs and 1024 summands is dequantised into scratch, with
 * rows of w across: panel[c][r] = w[first_row + r, first_col + c], and multiplied with all tokens
 * at once.
 * Panels depend on the shape alone, never on the number of threads, and their products are added in
 * order. Within one, the order of sums is Accelerate's own: Apple promises the same bits for the
 * same call nowhere, so products of this path are the same for any number of threads only as far as
 * its sgemm is deterministic. CIRCADIA_ACCELERATE=0 keeps to the kernels that promise it. */
#include "matmul/matmul_accelerate.h"

#if CK_HAS_ACCELERATE
#include <stdlib.h>
#include <string.h>

#include "matmul/tile_neon.h"
#include "parallel/parallel.h"
#include "selection/table.h"

/* As cblas.h has them. The framework's own header brings in all of vecLib, and differs between
 * SDKs. */
enum { ROW_MAJOR = 101, AS_IS = 111, TRANSPOSED = 112 };
void cblas_sgemm(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha,
                 const float* a, int lda, const float* b, int ldb, float beta, float* c, int ldc);
/* A setting of the calling thread, of macOS 15, which is the oldest that Circadia runs on. */
enum { SINGLE_THREADED = 1 };
int BLASSetThreading(unsigned int model);

/* Fewer tokens are bound by dequantising, where the team's own kernels lose nothing. */
enum { LEAST_TOKENS = 64 };
enum { PANEL_OUTPUTS = 256, PANEL_SUMMANDS = 1024, STEP = 64 };
static const size_t panel_bytes = sizeof(float) * PANEL_OUTPUTS * PANEL_SUMMANDS;

bool ck_accelerate_takes(int32_t tokens) {
    if (tokens < LEAST_TOKENS || ck_table()->matmul_f32 != ck_matmul_f32_neon) return false;
    const char* asked = getenv("CIRCADIA_ACCELERATE");
    return !asked || strcmp(asked, "0") != 0;
}

bool ck_has_accelerate(void) { return ck_accelerate_takes(LEAST_TOKENS); }

size_t ck_accelerate_workspace(void) { return (size_t)ck_threads() * panel_bytes; }

static int32_t least(int32_t a, int32_t b) { return a < b ? a : b; }

/* `row` is a multiple of 16, `col` of STEP. Gives the floats between rows of the panel. */
static int32_t fill_panel(const ck_matrix_t* w, int32_t row, int32_t rows, int32_t col,
                          int32_t cols, float* panel) {
    const int32_t stride = ck_block_count(rows) * CK_BLOCK_ROWS;
    for (int32_t r = 0; r < rows; r += CK_BLOCK_ROWS) {
        const uint8_t* block =
            (const uint8_t*)w->data + (row + r) / CK_BLOCK_ROWS * ck_block_bytes(w);
        for (int32_t c = 0; c < cols; c += STEP) {
            float values[STEP * CK_BLOCK_ROWS];
            const float* from = values;
            const int32_t count = least(STEP, cols - c);
            if (w->bits == 32) {
                from = (const float*)block + (size_t)(col + c) * CK_BLOCK_ROWS;
            } else {
                dequantise(w, block, col + c, count, values);
            }
            for (int32_t i = 0; i < count; i++) {
                memcpy(panel + (size_t)(c + i) * stride + r, from + i * CK_BLOCK_ROWS,
                       CK_BLOCK_ROWS * sizeof(float));
            }
        }
    }
    return stride;
}

typedef struct {
    const float* in;
    int32_t tokens;
    const ck_matrix_t* w;
    float* out;
    bool accumulate, is_transposed;
    char* panels;
} product_t;

/* Panels of outputs begin ..< end, each over all summands. */
static void multiply(void* context, int64_t begin, int64_t end, int32_t thread) {
    const product_t* p = context;
    const ck_matrix_t* w = p->w;
    const int32_t outputs = p->is_transposed ? w->cols : w->rows;
    const int32_t summands = p->is_transposed ? w->rows : w->cols;
    float* panel = (float*)(p->panels + (size_t)thread * panel_bytes);
    BLASSetThreading(SINGLE_THREADED); /* the threads are ours */
    for (int64_t i = begin; i < end; i++) {
        const int32_t o = (int32_t)i * PANEL_OUTPUTS, n = least(PANEL_OUTPUTS, outputs - o);
        for (int32_t s = 0; s < summands; s += PANEL_SUMMANDS) {
            const int32_t k = least(PANEL_SUMMANDS, summands - s);
            const int32_t stride = p->is_transposed ? fill_panel(w, s, k, o, n, panel)
                                                    : fill_panel(w, o, n, s, k, panel);
            cblas_sgemm(ROW_MAJOR, AS_IS, p->is_transposed ? TRANSPOSED : AS_IS, p->tokens, n, k, 1,
                        p->in + s, summands, panel, stride, s > 0 || p->accumulate ? 1 : 0,
                        p->out + o, outputs);
        }
    }
}

static void run(product_t product) {
    const int32_t outputs = product.is_transposed ? product.w->cols : product.w->rows;
    ck_parallel((outputs + PANEL_OUTPUTS - 1) / PANEL_OUTPUTS, 1, multiply, &product);
}

void ck_matmul_accelerate(const float* x, int32_t tokens, const ck_matrix_t* w, float* y,
                          bool accumulate, void* workspace) {
    run((product_t){x, tokens, w, y, accumulate, false, workspace});
}

void ck_matmul_transposed_accelerate(const float* dy, int32_t tokens, const ck_matrix_t* w,
                                     float* dx, bool accumulate, void* workspace) {
    run((product_t){dy, tokens, w, dx, accumulate, true, workspace});
}
#else
bool ck_accelerate_takes(int32_t tokens) {
    (void)tokens;
    return false;
}
bool ck_has_accelerate(void) { return false; }
size_t ck_accelerate_workspace(void) { return 0; }
void ck_matmul_accelerate(const float* x, int32_t tokens, const ck_matrix_t* w, float* y,
                          bool accumulate, void* workspace) {
    (void)x, (void)tokens, (void)w, (void)y, (void)accumulate, (void)workspace;
}
void ck_matmul_transposed_accelerate(const float* dy, int32_t tokens, const ck_matrix_t* w,
                                     float* dx, bool accumulate, void* workspace) {
    (void)dy, (void)tokens, (void)w, (void)dx, (void)accumulate, (void)workspace;
}
#endif
