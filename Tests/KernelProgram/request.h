/* One call of an entry of CKernels.h as Swift's KernelCall sends it, and the memory it runs on. */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdint.h>

#include "guarded.h"

enum { MAX_INTEGERS = 16, MAX_FLOATS = 16, MAX_OPERANDS = 16, NAME_SIZE = 32 };

typedef enum { ABSENT = 0, INPUT = 1, OUTPUT = 2 } role_t;

/* The request as it comes, little-endian: this header, `integer_count` int32, `float_count` f32,
 * `operand_count` operand_header_t, then the bytes of the operands, one after the other. */
typedef struct {
    char entry[NAME_SIZE];   /* "swiglu": ck_ left out */
    char kernel[NAME_SIZE];  /* the kernel under test, */
    char variant[NAME_SIZE]; /* its variant; every other kernel runs scalar */
    int32_t misalignment;    /* of the operands, in elements */
    int32_t integer_count, float_count, operand_count;
} request_header_t;

typedef struct {
    int32_t role, element_size;
    int64_t byte_count;
} operand_header_t;

typedef struct {
    request_header_t header;
    int32_t integers[MAX_INTEGERS];
    float floats[MAX_FLOATS];
    operand_header_t operands[MAX_OPERANDS];
    guarded_t memory[MAX_OPERANDS];
    /* Packed matrix and workspace: aligned to 64 bytes, of just the size that CKernels asks for. */
    guarded_t packed, workspace;
} request_t;

/* Runs the entry on the request's memory. Returns NULL, or what went wrong. */
const char* run_entry(request_t* request);

#endif
