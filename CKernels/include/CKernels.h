/* CKernels: all of Circadia's arithmetic, on memory that the caller owns.
 *
 * This header is the contract of every kernel: shapes, layout, dtype, aliasing, units.
 * How a kernel reaches its speed is told in its own folder; nothing here depends on it.
 *
 * Conventions
 * - `[a, b]` is row-major: element (i, j) lies at i*b + j. Floats are IEEE binary32 unless named.
 * - Pointers need no alignment unless a contract asks for it. Sizes may be zero: then nothing is
 *   read or written and CK_OK is returned.
 * - Outputs must not alias inputs unless the contract says "may alias".
 * - Entries validate, split the work over threads and return a status; they never exit, print or
 *   allocate. Scratch memory is the caller's: `ck_*_workspace` says how many bytes, 64-byte
 * aligned.
 * - The split never changes the order of a reduction: results are bit-identical for any thread
 * count.
 * - Any number of threads may call entries on disjoint outputs. Entries called where another's work
 * is being shared out (inside ck_ranges) run on the thread that calls them.
 */
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Status, settings, threads ------------------------------------------------------------- */

typedef enum ck_status {
    CK_OK = 0,
    CK_BAD_SHAPE = 1,          /* a dimension is negative, or the operands' dimensions disagree */
    CK_BAD_FORMAT = 2,         /* bits, group size or dtype that no kernel knows */
    CK_BAD_WORKSPACE = 3,      /* workspace too small or not 64-byte aligned */
    CK_BAD_INDEX = 4,          /* a token id, target or position lies outside its range */
    CK_UNKNOWN_VARIANT = 5,    /* no such ISA or variant in this build */
    CK_UNSUPPORTED = 6,        /* this processor cannot run that ISA or variant */
    CK_ALREADY_CONFIGURED = 7, /* ck_configure: the process runs with other settings */
} ck_status_t;

/* A short English phrase for a status; static storage. */
const char* ck_status_text(ck_status_t status);

/* Fixes what all entries of this process run on. threads < 1: one per processor that the OS offers.
 * isa: "scalar", "avx2", "avx512" or "neon", and NULL for what CIRCADIA_ISA names, else the best
 * one; every kernel then runs its best variant among those of that ISA and below.
 * Once is enough and only once is possible: whoever uses an entry first settles for (0, NULL), and
 * other settings later on are CK_ALREADY_CONFIGURED. The same ones are CK_OK. An unknown ISA is
 * CK_UNKNOWN_VARIANT, one of another processor CK_UNSUPPORTED, and nothing is fixed; an entry that
 * is used all the same runs scalar. */
ck_status_t ck_configure(int32_t threads, const char* isa);
/* The ISA that CIRCADIA_ISA names; NULL where it is not set or empty. */
const char* ck_requested_isa(void);
/* Comma-separated names that CIRCADIA_ISA accepts on this processor. */
const char* ck_isa_choices(void);

/* The ISA and the threads of entries that this thread calls now. */
const char* ck_isa(void);
int32_t ck_threads(void);
/* True where the build has OpenMP; without it every entry runs on the calling thread. */
bool ck_has_threads(void);
/* True where f32 products of 64 tokens and more go to Accelerate (Apple Silicon, unless
 * CIRCADIA_ACCELERATE=0): their bits then are Apple's matter. */
bool ck_has_accelerate(void);

/* Other settings for a while; what is 0 or NULL stays as it is. */
typedef struct ck_settings {
    int32_t threads;
    const char* isa;
    /* One kernel's variant; the others keep theirs. */
    const char *kernel, *variant;
} ck_settings_t;

/* Calls body(context) with other settings for the entries in it. Those of other threads of the
 * process are not touched, whatever they run meanwhile. Unknown or unsupported names are statuses
 * as above, and body is not called. For tests, benchmarks and `doctor`. */
ck_status_t ck_with(const ck_settings_t* settings, void (*body)(void* context), void* context);

/* Calls body(context) on the calling thread while the other threads stand by, so that entries
 * called inside share their work out without starting threads. The others spin meanwhile: a team is
 * for stretches of many small entries, such as a forward pass. Results are the same with and
 * without. A team inside a team is the outer one. */
void ck_team(void (*body)(void* context), void* context);

/* Calls body(context, begin, end) for ranges that make up 0 ..< count, each on a thread of its own,
 * and returns when all are done. Borders are multiples of `grain`. Inside another call's body it is
 * one range on the calling thread. */
void ck_ranges(int64_t count, int64_t grain,
               void (*body)(void* context, int64_t begin, int64_t end), void* context);

/* One implementation of one kernel: a line of selection/registry.def. */
typedef struct ck_variant {
    const char* kernel; /* "rmsnorm" */
    const char* name;   /* "avx512": the suffix of its symbol */
    const char* isa;    /* "scalar", "avx2", "avx512" or "neon" */
    bool supported;     /* this processor (and OS) can run it */
    bool active;        /* entries that this thread calls run it now */
} ck_variant_t;

int32_t ck_variant_count(void);
ck_variant_t ck_variant_at(int32_t index);

/* In a call of at most this many tokens each token has the very bits that it would have alone, in
 * ck_matmul with integer precisions, ck_attention and ck_lora: decoding, and the checking of
 * guesses. */
enum { CK_FEW_TOKENS = 17 };

/* ---- Weight matrices ----------------------------------------------------------------------- */

typedef enum ck_dtype { CK_F32 = 0, CK_F16 = 1, CK_BF16 = 2 } ck_dtype_t;

/* An MLX affine-quantised matrix as it lies in a checkpoint: w[o, i] = scale * q + bias.
 *   words   [rows, cols*bits/32] uint32; element j of a row sits in word j*bits/32, least
 *           significant first
 *   scales  [rows, cols/group_size] of scale_dtype; a scale may be negative
 *   biases  the same shape and dtype
 * bits is 4 or 8; group_size 32, 64 or 128 and divides cols. */
typedef struct ck_affine {
    const void* words;
    const void* scales;
    const void* biases;
    ck_dtype_t scale_dtype;
    int32_t rows, cols, bits, group_size;
} ck_affine_t;

/* A weight matrix [rows, cols] in the one layout that every matmul reads ("R16K4"). Rows are taken
 * in blocks of 16 (the last one padded with zeros), blocks one after the other, each one
 * contiguous: bits 4:  per group: group_size/8 chunks of 64 bytes; byte 4*r + j of chunk c holds
 *            q[r][8c + j] in its low nibble, q[r][8c + 4 + j] in its high one (r < 16, j < 4);
 *            then 16 scales and 16 biases of scale_dtype
 *   bits 8:  per group: group_size/4 chunks of 64 bytes; byte 4*r + j of chunk c is q[r][4c + j];
 *            then 16 scales and 16 biases
 *   bits 32: [cols][16] f32, no scales; group_size 0
 * So one 64-byte load holds four (or eight) successive columns of 16 rows: what VNNI, maddubs and
 * NEON's dot products consume without a shuffle, with 16 sums side by side and no horizontal add.
 */
typedef struct ck_matrix {
    const void* data; /* 64-byte aligned, ck_packed_size bytes */
    ck_dtype_t scale_dtype;
    int32_t rows, cols, bits, group_size;
} ck_matrix_t;

/* Raised whenever the layout above changes, so that packed files on disk can be told apart. */
#define CK_PACK_VERSION 1

/* Bytes of the packed form; 0 where the format is none that kernels know. */
size_t ck_packed_size(int32_t rows, int32_t cols, int32_t bits, int32_t group_size,
                      ck_dtype_t scale_dtype);
/* Packs a quantised matrix without loss into `data` (64-byte aligned). */
ck_status_t ck_pack_affine(const ck_affine_t* source, void* data);
/* Packs a dense [rows, cols] matrix of `dtype` as bits 32. */
ck_status_t ck_pack_dense(const void* source, ck_dtype_t dtype, int32_t rows, int32_t cols,
                          void* data);
/* out[t, :] = row ids[t] of w, dequantised. ids [count], out [count, w->cols]. */
ck_status_t ck_embed_rows(const ck_matrix_t* w, const int32_t* ids, int32_t count, float* out);

/* How a matmul treats its activations.
 *   INT8    activations rounded to 8 bits per token and weight group, x ≈ s0 * q0 with
 *           s0 = absmax(x)/127, q0 = round(x * 127/absmax); integer dot products, f32 scaling. For
 *           inference. bits 32 weights are multiplied as EXACT.
 *   INT8X2  two such digits, x ≈ s0 * q0 + s1 * q1: the second one rounds what the first leaves,
 *           x - s0 * q0, per token and group with a step of its own. Twice the arithmetic of INT8,
 *           the same reads of memory, 1/250 of the rounding error.
 *   BF16    weights and activations rounded to bf16 (to nearest even), products summed in f32.
 *           For training. Where no bf16 instruction exists this is EXACT.
 *   EXACT   f32 throughout.
 * With an integer precision and quantised weights a token's result is the same bits alone and among
 * others. */
typedef enum ck_precision {
    CK_PRECISION_EXACT = 0,
    CK_PRECISION_INT8 = 1,
    CK_PRECISION_BF16 = 2,
    CK_PRECISION_INT8X2 = 3
} ck_precision_t;

/* One of the matrices that share an input, and where its product goes. */
typedef struct ck_product {
    ck_precision_t precision;
    const ck_matrix_t* weights; /* [rows_m, cols] */
    float* output;              /* [tokens, rows_m] */
} ck_product_t;

/* output_m = x weights_mᵀ for `count` matrices that share their input (fused q/k/v, gate/up), x
 * [tokens, cols]. Their precisions are all the same, or each INT8 or INT8X2 (else CK_BAD_FORMAT):
 * these share the rounding. accumulate: outputs are added to, not overwritten. One pass over the
 * threads. */
ck_status_t ck_matmul(const float* x, int32_t tokens, const ck_product_t* products, int32_t count,
                      bool accumulate, void* workspace, size_t workspace_bytes);
/* Workspace for any ck_matmul of this precision (INT8X2 where any matrix has it) with at most
 * `tokens` rows, on inputs `cols` wide and matrices of at most `rows` rows. */
size_t ck_matmul_workspace(ck_precision_t precision, int32_t tokens, int32_t rows, int32_t cols);

/* dx = dy W: the backward pass through a frozen matrix. dy [tokens, rows]; dx [tokens, cols];
 * accumulate as above. The integer precisions are refused (CK_BAD_FORMAT). */
ck_status_t ck_matmul_transposed(ck_precision_t precision, const float* dy, int32_t tokens,
                                 const ck_matrix_t* w, float* dx, bool accumulate, void* workspace,
                                 size_t workspace_bytes);
size_t ck_matmul_transposed_workspace(ck_precision_t precision, int32_t tokens, int32_t rows,
                                      int32_t cols);

/* ---- Normalisation, position, activation --------------------------------------------------- */

/* y[t, i] = x[t, i] * w[i] / sqrt(mean_i(x[t, :]²) + eps). x, y [tokens, width]; w [width].
 * y may alias x. rstd: NULL, or [tokens], receives 1/sqrt(…) for the backward pass. */
ck_status_t ck_rmsnorm(const float* x, const float* w, int32_t tokens, int32_t width, float eps,
                       float* y, float* rstd);
/* dx[t, i] += rstd*w[i]*dy[t, i] - rstd³/width * x[t, i] * Σ_j w[j]*dy[t, j]*x[t, j]. */
ck_status_t ck_rmsnorm_backward_x(const float* x, const float* w, const float* rstd,
                                  const float* dy, int32_t tokens, int32_t width, float* dx);
/* y = (x - mean) / sqrt(variance + eps) * w + b over each row. y may alias x. */
ck_status_t ck_layernorm(const float* x, const float* w, const float* b, int32_t tokens,
                         int32_t width, float eps, float* y);

/* Half-split rotary embedding, in place: for each head and i < head_dim/2, with
 * a = positions[t]*frequencies[i]: (x[i], x[i + head_dim/2]) is turned by the angle a, or by -a
 * where inverse (the backward pass). x [tokens, heads, head_dim]; frequencies [head_dim/2]. */
ck_status_t ck_rope(float* x, const int32_t* positions, const float* frequencies, int32_t tokens,
                    int32_t heads, int32_t head_dim, bool inverse);

/* out = silu(gate) * up, silu(g) = g / (1 + e^-g). [tokens, width] each; out may alias gate or
 * up. */
ck_status_t ck_swiglu(const float* gate, const float* up, int32_t tokens, int32_t width,
                      float* out);
/* dgate, dup from dout; dgate may alias gate, dup may alias up. */
ck_status_t ck_swiglu_backward(const float* gate, const float* up, const float* dout, int64_t count,
                               float* dgate, float* dup);
/* out = x * Φ(x) (the erf form, as BERT's). out may alias x. */
ck_status_t ck_gelu(const float* x, int64_t count, float* out);
/* y[t, i] += b[i]. y [tokens, width], b [width]. */
ck_status_t ck_add_bias(float* y, const float* b, int32_t tokens, int32_t width);
/* y += x. [count] each. */
ck_status_t ck_add(float* y, const float* x, int64_t count);

/* ---- Attention ----------------------------------------------------------------------------- */

/* Grouped-query attention of `tokens` new queries over keys and values 0 ..< past + tokens.
 * Query t sees keys first_key[t] ..< end_key[t]; NULL first_key means 0 (set it to keep packed
 * conversations apart), NULL end_key means past + t + 1 (causal). An empty range gives zeros.
 * heads is a multiple of kv_heads; query head h reads KV head h / (heads / kv_heads). */
typedef struct ck_attention_shape {
    int32_t tokens, past, heads, kv_heads, head_dim;
    int32_t capacity; /* rows that the cache was made for; >= past + tokens */
    float scale;      /* multiplies q·k; 1/sqrt(head_dim) for Llama */
    const int32_t* first_key;
    const int32_t* end_key;
} ck_attention_shape_t;

/* How a cache keeps its numbers.
 *   F32    as they are. For training and the exact path.
 *   INT16  as integers times a step: 15 bits with a sign, or 7. A value has one step, a key one for
 *   INT8   every 16 of its numbers, for few of a key's numbers are large. One token's attention
 *          then is integer dot products, two to a lane, with queries and probabilities rounded to
 *          16 bits as they come; its results do not depend on the ISA but for the softmax. 16 bits
 *          err less than f16 would. */
typedef enum ck_cache_format {
    CK_CACHE_F32 = 0,
    CK_CACHE_INT16 = 1,
    CK_CACHE_INT8 = 2
} ck_cache_format_t;

/* The keys and values of one layer, C = ck_cache_rows(capacity), D = head_dim (rounded up to even
 * for integers).
 *   F32       keys, values [kv_heads, C, head_dim]; no steps
 *   integers  keys [kv_heads, C/16, D/2, 16, 2]: two numbers of each of 16 keys side by side
 *             values [kv_heads, C/2, D, 2]: two values side by side
 *             key_steps [kv_heads, C/16, ceil(D/16), 16] f32, value_steps [kv_heads, C] f32 */
typedef struct ck_cache {
    void *keys, *values;
    float *key_steps, *value_steps;
    ck_cache_format_t format;
} ck_cache_t;

/* Rows that a cache has for `capacity`: whole blocks of 16. */
int64_t ck_cache_rows(int64_t capacity);
/* Bytes of keys, or of values, without steps; 0 where the format is unknown. */
size_t ck_cache_bytes(ck_cache_format_t format, int64_t kv_heads, int64_t capacity,
                      int64_t head_dim);

/* Rows past ..< past + tokens of `cache` = k, v [tokens, kv_heads, head_dim]. Integers: the step of
 * x, a value or 16 numbers of a key, is max(max_i |x[i]| / most, |x| / 46300), |x| the Euclidean
 * length, most 32767 or 127, so that no dot product of two such rows leaves 32 bits; of what is not
 * finite it is not finite. */
ck_status_t ck_cache_append(ck_cache_t cache, const ck_attention_shape_t* shape, const float* k,
                            const float* v);
/* out[t, h, :] = Σ_s softmax_s(scale * q[t, h]·k[s]) v[s], blockwise over s (no tokens × tokens
 * buffer). q, out [tokens, heads, head_dim]. log_sum: NULL, or [tokens, heads], receives
 * ln Σ_s exp(scale * q·k[s]) for the backward pass. */
ck_status_t ck_attention(const ck_attention_shape_t* shape, const float* q, ck_cache_t cache,
                         float* out, float* log_sum, void* workspace, size_t workspace_bytes);
size_t ck_attention_workspace(const ck_attention_shape_t* shape);
/* Gradients of ck_attention with past = 0 and caches in the token-major layout
 * k, v [tokens, kv_heads, head_dim] f32. Probabilities are computed again from log_sum, in blocks.
 * dq [tokens, heads, head_dim], dk, dv like k, v; all overwritten. shape->capacity is not read. */
ck_status_t ck_attention_backward(const ck_attention_shape_t* shape, const float* q, const float* k,
                                  const float* v, const float* out, const float* log_sum,
                                  const float* dout, float* dq, float* dk, float* dv,
                                  void* workspace, size_t workspace_bytes);
size_t ck_attention_backward_workspace(const ck_attention_shape_t* shape);

/* ---- Loss ---------------------------------------------------------------------------------- */

/* Softmax cross-entropy of each row: losses[t] = ln Σ_v exp(logits[t, v]) - logits[t, targets[t]].
 * logits [tokens, vocabulary]; targets [tokens]. gradient: NULL, or [tokens, vocabulary], receives
 * row_scale * (softmax - onehot(target)); it may alias logits. */
ck_status_t ck_cross_entropy(const float* logits, const int32_t* targets, int32_t tokens,
                             int32_t vocabulary, float row_scale, float* losses, float* gradient);
/* Index of the largest of `count` > 0 values; the first of equals; NaN never wins. */
int64_t ck_argmax(const float* x, int64_t count);

/* ---- LoRA and its optimiser ---------------------------------------------------------------- */

/* y += scale * (x A) B, and xa = x A is kept for the backward pass.
 * x [tokens, in]; a [in, rank]; b [rank, out]; xa [tokens, rank]; y [tokens, out]. */
ck_status_t ck_lora(const float* x, const float* a, const float* b, float scale, int32_t tokens,
                    int32_t in, int32_t out, int32_t rank, float* xa, float* y);
/* With g = scale * dy Bᵀ [tokens, rank]:  da += xᵀ g;  db += scale * xaᵀ dy;  dx += g Aᵀ.
 * dx may be NULL (the first adapted block). */
ck_status_t ck_lora_backward(const float* x, const float* xa, const float* a, const float* b,
                             const float* dy, float scale, int32_t tokens, int32_t in, int32_t out,
                             int32_t rank, float* da, float* db, float* dx, void* workspace,
                             size_t workspace_bytes);
size_t ck_lora_backward_workspace(int32_t tokens, int32_t in, int32_t out, int32_t rank);

/* Σ x[i]², summed in double in a fixed order. */
double ck_sum_squares(const float* x, int64_t count);

typedef struct ck_adam {
    float learning_rate, beta1, beta2, epsilon;
    float weight_decay;   /* decoupled (AdamW); 0 for Adam */
    float gradient_scale; /* multiplies the gradient first: clipping */
    int32_t step;         /* 1, 2, …; used by the bias correction */
    bool bias_correction;
} ck_adam_t;

/* One Adam step on [count] parameters with first and second moments m, v. */
ck_status_t ck_adam(const ck_adam_t* options, const float* gradient, int64_t count,
                    float* parameter, float* m, float* v);

/* ---- Vector search ------------------------------------------------------------------------- */

/* scores[i] = query · vectors[i]. vectors [count, width], query [width], scores [count]. */
ck_status_t ck_dot_rows(const float* vectors, const float* query, int64_t count, int32_t width,
                        float* scores);
/* The same for vectors in 8 bits: scores[i] = scales[i] * query_scale * Σ_j query[j] * vectors[i,
 * j]. vectors [count, width], query [width], int8 without alignment; scales, scores [count]. width
 * is at most CK_DOT_ROWS_INT8_WIDTH, so that the sum of products cannot overflow 32 bits. */
#define CK_DOT_ROWS_INT8_WIDTH 65536
ck_status_t ck_dot_rows_int8(const int8_t* vectors, const float* scales, const int8_t* query,
                             float query_scale, int64_t count, int32_t width, float* scores);
/* The same for the signs of vectors: scores[i] = scales[i] * query_scale * Σ_j query[j] * s[i, j],
 * where s is 1 for a set bit and -1 for another. Rows lie in groups of 8: rows [⌈count/8⌉,
 * ⌈width/64⌉, 8] words of 64 bits, of which word w of a row holds its columns 64w and on, the least
 * significant bit first. query [4, ⌈width/64⌉] words: bit b of component j, which is a 4-bit
 * integer in two's complement, is bit j of plane b; bits from width on are 0. Neither needs
 * alignment. scales, scores [count]. */
ck_status_t ck_dot_rows_bits(const uint8_t* rows, const float* scales, const uint8_t* query,
                             float query_scale, int64_t count, int32_t width, float* scores);

/* Exchanges as the two entries below see them, each [count]. Where an exchange before or after one
 * has the index beside it, links says so; an exchange whose neighbours are elsewhere is not plain,
 * nor is an index without an exchange: both are left to the caller. links also say which side names
 * a time. */
enum {
    CK_USER_NAMES_TIME = 1,
    CK_OTHER_NAMES_TIME = 2,
    CK_LINK_PREVIOUS = 4,
    CK_LINK_NEXT = 8,
    CK_LINK_PLAIN = 16
};

typedef struct ck_exchanges {
    int64_t count;
    const uint8_t* links; /* the bits above; others do not count */
    const int8_t* sides;  /* whom the question is about: 1 the user, -1 the other side, 0 neither */
    /* Words of an exchange in its neighbourhood, and of each side. */
    const float* context_words;
    const uint16_t *user_words, *other_words;
} ck_exchanges_t;

/* The weights of BM25: k; what is added to a frequency, k (1 - b) and k b / mean for each word;
 * what a word in the exchange before or after counts. */
typedef struct ck_bm25 {
    float saturation, constant, per_context_word, per_side_word, previous, following;
} ck_bm25_t;

/* BM25 (Robertson and Zaragoza, 2009) of each exchange over itself and its neighbours, of each side
 * alone, and the information of the terms that are there. counts [terms, count + 2]: byte i + 1 has
 * what exchange i says of a term, the user's count in its upper half, the other side's in its
 * lower; the first and the last byte are 0. information [terms]. sums [4, count]: whole, user,
 * other, coverage; `adds`: to what they have. best: the highest of whole, of the side asked about
 * and of the other. An exchange that is not plain gets 0. */
ck_status_t ck_bm25(const ck_bm25_t* options, const uint8_t* counts, const float* information,
                    int32_t terms, const ck_exchanges_t* exchanges, bool adds, float* sums,
                    float best[3]);

/* The weights of the parts of a score. */
typedef struct ck_fusion {
    float whole, asked, other, coverage;            /* of ck_bm25's sums */
    float asked_near, other_near;                   /* of cosines, by side */
    float previous_user, previous_other, following; /* of the neighbours' */
    float absent;     /* the share of an exchange's own cosine that stands for a neighbour's */
    float names_time; /* where the side asked about, or either, names a time */
} ck_fusion_t;

/* scores [count]: the weighted sum of all parts; -inf for an exchange that is not plain. sums [4,
 * count] of ck_bm25; near_user, near_other [count + 2]: element i + 1 is the cosine of exchange i.
 * highest [⌈count/block⌉]: the highest score of each `block` exchanges. */
ck_status_t ck_fuse_scores(const ck_fusion_t* weights, const float* sums, const float* near_user,
                           const float* near_other, const ck_exchanges_t* exchanges, int64_t block,
                           float* scores, float* highest);

/* ---- Measuring ----------------------------------------------------------------------------- */

/* All words XORed: reads memory once, as fast as it comes, for measuring that. words [count]. */
uint64_t ck_read_words(const uint64_t* words, int64_t count);

#ifdef __cplusplus
}
#endif

#endif
