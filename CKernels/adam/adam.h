#ifndef CK_ADAM_H
#define CK_ADAM_H

#include <stdint.h>

/* What one step needs of its options, with the bias corrections worked out. */
typedef struct ck_adam_terms {
    float gradient_scale;
    float beta1, rest1; /* rest = 1 - beta, taken in double */
    float beta2, rest2;
    float keep;    /* 1 - learning_rate * weight_decay */
    float rate;    /* learning_rate / (1 - beta1^step) */
    float unbias2; /* 1 / (1 - beta2^step) */
    float epsilon;
} ck_adam_terms_t;

/* Elements begin ..< end of ck_adam:
 *   g = gradient_scale * gradient;  m = beta1*m + rest1*g;  v = beta2*v + rest2*g²
 *   parameter = keep * parameter - rate * m / (sqrt(unbias2 * v) + epsilon) */
typedef void ck_adam_fn(const ck_adam_terms_t* terms, const float* gradient, int64_t begin,
                        int64_t end, float* parameter, float* m, float* v);

#endif
