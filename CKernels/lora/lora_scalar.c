/* The three products of lora.h, each element summed in double: the specification of the other
 * variants. */
#include "selection/table.h"

void ck_lora_down_scalar(const float* x, const float* a, float scale, int64_t begin, int64_t end,
                         int32_t width, int32_t rank, float* down) {
    for (int64_t t = begin; t < end; t++) {
        for (int32_t r = 0; r < rank; r++) {
            double sum = 0;
            for (int64_t i = 0; i < width; i++) sum += (double)x[t * width + i] * a[i * rank + r];
            down[t * rank + r] = (float)(scale * sum);
        }
    }
}

void ck_lora_up_scalar(const float* down, const float* b, float scale, int64_t begin, int64_t end,
                       int32_t width, int32_t rank, float* y) {
    for (int64_t t = begin; t < end; t++) {
        for (int64_t o = 0; o < width; o++) {
            double sum = 0;
            for (int64_t r = 0; r < rank; r++) sum += (double)down[t * rank + r] * b[r * width + o];
            y[t * width + o] += (float)(scale * sum);
        }
    }
}

void ck_lora_outer_scalar(const float* narrow, const float* wide, float scale, int64_t begin,
                          int64_t end, int32_t tokens, int32_t width, int32_t rank, bool transposed,
                          float* gradient) {
    for (int64_t i = begin; i < end; i++) {
        for (int64_t r = 0; r < rank; r++) {
            double sum = 0;
            for (int64_t t = 0; t < tokens; t++) {
                sum += (double)narrow[t * rank + r] * wide[t * width + i];
            }
            gradient[transposed ? i * rank + r : r * width + i] += (float)(scale * sum);
        }
    }
}
