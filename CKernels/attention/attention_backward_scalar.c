/* q, out, dout, dq [tokens, heads, head_dim]; k, v [tokens, kv_heads, head_dim];
 * log_sum [tokens, heads]; dk, dv [tokens, head_dim] of this head.
 * For every pair of a query t and a key s that it sees, with D = Σ_i dout[t, i] out[t, i]:
 *   p = exp(scale * q[t]·k[s] - log_sum[t]);  ds = scale * p * (dout[t]·v[s] - D)
 *   dv[s] += p dout[t];  dk[s] += ds q[t];  dq[t] += ds k[s] */
#include <math.h>
#include <string.h>

#include "attention/attention.h"
#include "selection/table.h"

static double dot(const float* a, const float* b, int64_t width) {
    double sum = 0;
    for (int64_t i = 0; i < width; i++) sum += (double)a[i] * b[i];
    return sum;
}

void ck_attention_backward_scalar(const ck_attention_head_t* head) {
    const ck_attention_shape_t* shape = head->shape;
    const int64_t width = shape->head_dim, kv = head->head / (shape->heads / shape->kv_heads);
    const size_t bytes = (size_t)width * sizeof(float);
    memset(head->dk, 0, bytes * (size_t)shape->tokens);
    memset(head->dv, 0, bytes * (size_t)shape->tokens);
    for (int32_t t = 0; t < shape->tokens; t++) {
        const int64_t query = (int64_t)t * shape->heads + head->head;
        const float *q = head->q + query * width, *dout = head->dout + query * width;
        float* dq = head->dq + query * width;
        memset(dq, 0, bytes);
        const double offset = dot(dout, head->out + query * width, width);
        int32_t first, end;
        ck_visible_keys(shape, t, &first, &end);
        for (int32_t s = first; s < end; s++) {
            const float* k = head->k + ((int64_t)s * shape->kv_heads + kv) * width;
            const float* v = head->v + ((int64_t)s * shape->kv_heads + kv) * width;
            const double p = exp(shape->scale * dot(q, k, width) - head->log_sum[query]);
            const double ds = shape->scale * p * (dot(dout, v, width) - offset);
            float *dk = head->dk + s * width, *dv = head->dv + s * width;
            for (int64_t i = 0; i < width; i++) {
                dv[i] += (float)p * dout[i];
                dk[i] += (float)ds * q[i];
                dq[i] += (float)ds * k[i];
            }
        }
    }
}
