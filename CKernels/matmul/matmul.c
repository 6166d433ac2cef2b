/* y_m = x W_mᵀ: validation, activations, and one pass of the threads over the row blocks of all
 * matrices. */
#include "matmul/matmul.h"

#include "activations/activations.h"
#include "matmul/matmul_accelerate.h"
#include "pack/pack.h"
#include "parallel/parallel.h"
#include "quantize_int8/quantize_int8.h"
#include "selection/table.h"

enum { MOST_MATRICES = 16 };

static size_t aligned(size_t bytes) { return (bytes + 63) / 64 * 64; }

/* Room for one dequantised panel, f32 or bytes, of 16 rows. */
static size_t panel_bytes(int32_t cols) {
    const size_t f32_panel = (size_t)(cols < CK_PANEL_COLS ? cols : CK_PANEL_COLS) * 64 + 64;
    /* int8: every value as a byte, and two f32 per group of 32 or more */
    const size_t int8_panel = (size_t)cols * 16 + (size_t)(cols / 32 + 1) * 128;
    return aligned(f32_panel > int8_panel ? f32_panel : int8_panel);
}

/* The int8 digits that a precision rounds activations to. */
static int32_t digits_of(ck_precision_t precision) {
    if (precision == CK_PRECISION_INT8) return 1;
    return precision == CK_PRECISION_INT8X2 ? 2 : 0;
}

size_t ck_matmul_workspace(ck_precision_t precision, int32_t tokens, int32_t rows, int32_t cols) {
    (void)rows;
    if (tokens <= 0 || cols <= 0) return 64;
    /* bits 32 weights take the f32 path whatever the precision, so there is room for it too */
    size_t bytes = ck_tiled_bytes(CK_PRECISION_EXACT, tokens, cols);
    const int32_t digits = digits_of(precision);
    if (digits > 0) bytes += ck_int8_bytes(tokens, cols, digits);
    if (ck_accelerate_takes(tokens)) bytes += ck_accelerate_workspace();
    return bytes + (size_t)ck_threads() * panel_bytes(cols);
}

/* What the variant of one matrix is told: once a block, or with two digits twice, where the second
 * time finds the block in L1 and adds to what the first one wrote. */
typedef struct {
    ck_matmul_fn* function;
    int32_t times;
    ck_matmul_args_t args[2];
} task_t;

typedef struct {
    task_t tasks[MOST_MATRICES];
    int32_t count;
    char* scratch;
    size_t scratch_bytes;
} matmul_job_t;

/* Both digits of one token as two tokens, which share each load of the weights: the block comes
 * from memory here, and is not worth two readings. Added in the order of two calls, for the same
 * bits. */
static void multiply_token(const task_t* task, int64_t b, void* scratch) {
    const ck_matmul_args_t* a = &task->args[0];
    ck_matrix_t block = *a->w;
    block.data = (const char*)block.data + b * ck_block_bytes(a->w);
    const int32_t left = block.rows - (int32_t)b * 16;
    block.rows = left < 16 ? left : 16;
    float digits[2][16];
    ck_matmul_args_t args = *a;
    args.w = &block;
    args.tokens = 2;
    args.y = digits[0];
    args.stride = 16;
    args.accumulate = false;
    task->function(&args, 0, 1, scratch);
    float* y = a->y + b * 16;
    for (int32_t r = 0; r < block.rows; r++) {
        y[r] = (a->accumulate ? y[r] + digits[0][r] : digits[0][r]) + digits[1][r];
    }
}

static void multiply_blocks(const task_t* task, int64_t begin, int64_t end, void* scratch) {
    if (task->times == 1) {
        task->function(&task->args[0], begin, end, scratch);
        return;
    }
    for (int64_t b = begin; b < end; b++) {
        if (task->args[0].tokens == 1) {
            multiply_token(task, b, scratch);
        } else {
            task->function(&task->args[0], b, b + 1, scratch);
            task->function(&task->args[1], b, b + 1, scratch);
        }
    }
}

/* Matrices that follow each other and are alike are a band: a thread takes the same blocks of each,
 * so that what is next made of their outputs row by row (SwiGLU) finds them in its own cache. */
static int32_t band_size(const matmul_job_t* job, int32_t first) {
    const task_t* task = &job->tasks[first];
    int32_t size = 1;
    while (first + size < job->count && task[size].times == task->times &&
           task[size].args[0].w->rows == task->args[0].w->rows) {
        size++;
    }
    return size;
}

/* Items are a block's times in all matrices of its band, so that threads with equally many work
 * equally long; whoever has its first takes all. */
static void matmul_blocks(void* context, int64_t begin, int64_t end, int32_t thread) {
    const matmul_job_t* job = context;
    void* const scratch = job->scratch + (size_t)thread * job->scratch_bytes;
    int64_t first = 0;
    for (int32_t m = 0; m < job->count && first < end;) {
        const task_t* task = &job->tasks[m];
        const int32_t size = band_size(job, m);
        const int64_t each = (int64_t)size * task->times;
        const int64_t last = first + each * ck_block_count(task->args[0].w->rows);
        const int64_t from = begin > first ? begin : first, to = end < last ? end : last;
        if (from < to) {
            const int64_t block = (from - first + each - 1) / each;
            const int64_t block_end = (to - first + each - 1) / each;
            for (int32_t i = 0; i < size; i++) multiply_blocks(&task[i], block, block_end, scratch);
        }
        first = last;
        m += size;
    }
}

/* What the products of one call need. */
typedef struct {
    ck_precision_t precision; /* the one with the most workspace */
    int32_t rows;             /* of the tallest matrix */
    int32_t digits;           /* of the int8 activations; 0 for none */
    int32_t group_size;       /* of the weights that they meet */
    bool has_tiles;           /* activations in f32 or bf16 are wanted */
    int32_t count;            /* products before the first one of another group size */
} plan_t;

/* Digits of the activations that one product takes: bits 32 weights meet f32. */
static int32_t digits_for(const ck_product_t* product) {
    return product->weights->bits == 32 ? 0 : digits_of(product->precision);
}

static ck_status_t make_plan(const ck_product_t* products, int32_t count, plan_t* plan) {
    const ck_precision_t precision = products[0].precision;
    *plan = (plan_t){.precision = precision, .count = count};
    for (int32_t m = 0; m < count; m++) {
        const ck_product_t* p = &products[m];
        const ck_matrix_t* w = p->weights;
        if (!ck_known_matrix(w)) return CK_BAD_FORMAT;
        if (w->cols != products[0].weights->cols) return CK_BAD_SHAPE;
        if (p->precision != precision && (!digits_of(p->precision) || !digits_of(precision))) {
            return CK_BAD_FORMAT;
        }
        if (p->precision == CK_PRECISION_INT8X2) plan->precision = CK_PRECISION_INT8X2;
        if (w->rows > plan->rows) plan->rows = w->rows;
        if (m >= plan->count) continue;
        const int32_t digits = digits_for(p);
        if (digits == 0) {
            plan->has_tiles = true;
        } else if (plan->digits > 0 && w->group_size != plan->group_size) {
            plan->count = m;
        } else {
            plan->group_size = w->group_size;
            if (digits > plan->digits) plan->digits = digits;
        }
    }
    return CK_OK;
}

ck_status_t ck_matmul(const float* x, int32_t tokens, const ck_product_t* products, int32_t count,
                      bool accumulate, void* workspace, size_t workspace_bytes) {
    if (tokens < 0 || count < 0 || count > MOST_MATRICES) return CK_BAD_SHAPE;
    if (tokens == 0 || count == 0) return CK_OK;
    plan_t plan;
    const ck_status_t status = make_plan(products, count, &plan);
    if (status != CK_OK) return status;
    const int32_t cols = products[0].weights->cols;
    if (cols == 0) {
        for (int32_t m = 0; !accumulate && m < count; m++) {
            memset(products[m].output, 0, sizeof(float) * tokens * products[m].weights->rows);
        }
        return CK_OK;
    }
    if ((uintptr_t)workspace % 64 ||
        workspace_bytes < ck_matmul_workspace(plan.precision, tokens, plan.rows, cols)) {
        return CK_BAD_WORKSPACE;
    }

    char* next = workspace;
    void* const tiles = next;
    next += ck_tiled_bytes(CK_PRECISION_EXACT, tokens, cols);
    const ck_table_t* table = ck_table();
    /* weights of bits 32 have no bf16 variant of their own: they take the f32 one */
    const bool is_bf16 = plan.precision == CK_PRECISION_BF16 && table->matmul_bf16;
    const bool uses_accelerate = plan.has_tiles && !is_bf16 && ck_accelerate_takes(tokens);
    void* const accelerate = next;
    if (uses_accelerate) {
        next += ck_accelerate_workspace();
    } else if (plan.has_tiles) {
        ck_tile_activations(is_bf16 ? CK_PRECISION_BF16 : CK_PRECISION_EXACT, x, tokens, cols,
                            tiles);
    }
    ck_int8_digit_t digit[2] = {{0}};
    if (plan.digits > 0) {
        ck_round_int8(x, tokens, cols, plan.group_size, plan.digits, digit, next);
        next += ck_int8_bytes(tokens, cols, plan.digits);
    }

    matmul_job_t job = {.scratch = next, .scratch_bytes = panel_bytes(cols)};
    int64_t items = 0;
    for (int32_t m = 0; m < plan.count; m++) {
        const ck_matrix_t* w = products[m].weights;
        const int32_t digits = digits_for(&products[m]);
        if (uses_accelerate && digits == 0) {
            ck_matmul_accelerate(x, tokens, w, products[m].output, accumulate, accelerate);
            continue;
        }
        task_t* task = &job.tasks[job.count++];
        task->times = digits == 2 ? 2 : 1;
        task->function = digits > 0 ? table->matmul_int8
                         : is_bf16  ? table->matmul_bf16
                                    : table->matmul_f32;
        for (int32_t i = 0; i < task->times; i++) {
            task->args[i] = (ck_matmul_args_t){.w = w,
                                               .x = digits > 0 ? (const void*)digit[i].q : tiles,
                                               .scale = digit[i].scale,
                                               .sum = digit[i].sum,
                                               .tokens = tokens,
                                               .y = products[m].output,
                                               .stride = w->rows,
                                               .accumulate = accumulate || i > 0};
        }
        items += task->times * ck_block_count(w->rows);
    }
    ck_parallel(items, 1, matmul_blocks, &job);
    if (plan.count == count) return CK_OK;
    /* activations are rounded per weight group: other sizes take a pass of their own */
    return ck_matmul(x, tokens, products + plan.count, count - plan.count, accumulate, workspace,
                     workspace_bytes);
}
