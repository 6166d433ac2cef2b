/* Runs CKernels for tests in a process of its own: on another architecture under an emulator, or on
 * this one under sanitizers.
 *
 *   kernels list    prints the selected ISA and its status, then the registry: one line a variant,
 *                   "kernel name isa supported active"
 *   kernels serve   answers requests (request.h) from standard input until it ends
 *
 * An answer is 128 bytes of text, empty where all went well and otherwise what went wrong, then the
 * bytes of the outputs in order. Standard output carries nothing else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "CKernels.h"
#include "request.h"

enum { MESSAGE_SIZE = 128, SECONDS_PER_CALL = 60 };

static int list(void) {
    const ck_status_t status = ck_configure(0, NULL);
    printf("%s %s\n", ck_isa(), ck_status_text(status));
    for (int32_t i = 0; i < ck_variant_count(); i++) {
        const ck_variant_t v = ck_variant_at(i);
        printf("%s %s %s %d %d\n", v.kernel, v.name, v.isa, v.supported, v.active);
    }
    return 0;
}

/* ---- Requests ------------------------------------------------------------------------------- */

static void read_bytes(void* target, size_t size) {
    if (size > 0 && fread(target, size, 1, stdin) != 1) {
        fprintf(stderr, "the request ended too early\n");
        exit(1);
    }
}

/* Reads a request into memory off alignment as it asks. Returns the bytes of its operands, to be
 * compared with afterwards. */
static unsigned char* read_request(request_t* r) {
    const request_header_t* header = &r->header;
    if (header->integer_count > MAX_INTEGERS || header->float_count > MAX_FLOATS ||
        header->operand_count > MAX_OPERANDS) {
        fprintf(stderr, "the request does not fit\n");
        exit(1);
    }
    read_bytes(r->integers, sizeof(int32_t) * (size_t)header->integer_count);
    read_bytes(r->floats, sizeof(float) * (size_t)header->float_count);
    read_bytes(r->operands, sizeof(operand_header_t) * (size_t)header->operand_count);
    size_t total = 0;
    for (int i = 0; i < header->operand_count; i++) total += (size_t)r->operands[i].byte_count;
    unsigned char* original = malloc(total + 1);
    if (!original) abort();
    read_bytes(original, total);
    const unsigned char* next = original;
    for (int i = 0; i < header->operand_count; i++) {
        const operand_header_t* operand = &r->operands[i];
        if (operand->role == ABSENT) continue;
        const size_t size = (size_t)operand->byte_count;
        r->memory[i] =
            guarded_make(size, (size_t)header->misalignment * (size_t)operand->element_size);
        memcpy(r->memory[i].data, next, size);
        next += size;
    }
    return original;
}

/* What the call wrote where it must not; in the words of Swift's KernelMemory. */
static void describe_trespass(const request_t* r, const unsigned char* original, char* message) {
    int64_t place;
    if (guarded_overrun(&r->workspace, &place)) {
        snprintf(message, MESSAGE_SIZE, "workspace overrun at %lld", (long long)place);
        return;
    }
    if (guarded_overrun(&r->packed, &place)) {
        snprintf(message, MESSAGE_SIZE, "packed matrix overrun at %lld", (long long)place);
        return;
    }
    for (int i = 0; i < r->header.operand_count; i++) {
        const guarded_t* memory = &r->memory[i];
        if (guarded_overrun(memory, &place)) {
            snprintf(message, MESSAGE_SIZE, "operand %d overrun at %lld", i, (long long)place);
            return;
        }
        if (r->operands[i].role == INPUT && memcmp(memory->data, original, memory->size) != 0) {
            snprintf(message, MESSAGE_SIZE, "operand %d was written to", i);
            return;
        }
        original += memory->size;
    }
}

typedef struct {
    request_t* request;
    const char* failure;
} run_t;

static void run(void* context) {
    run_t* call = context;
    call->failure = run_entry(call->request);
}

/* The request's variant, every other kernel being scalar. */
static ck_settings_t settings(const request_header_t* header) {
    const bool has_variant = header->variant[0] != 0;
    return (ck_settings_t){.isa = "scalar",
                           .kernel = has_variant ? header->kernel : NULL,
                           .variant = has_variant ? header->variant : NULL};
}

static void answer(request_t* r) {
    char message[MESSAGE_SIZE] = {0};
    unsigned char* original = read_request(r);
    const ck_settings_t wanted = settings(&r->header);
    run_t call = {r, NULL};
    const ck_status_t status = ck_with(&wanted, run, &call);
    if (status != CK_OK) call.failure = ck_status_text(status);
    if (call.failure) {
        snprintf(message, sizeof message, "%s", call.failure);
    } else {
        describe_trespass(r, original, message);
    }
    fwrite(message, sizeof message, 1, stdout);
    for (int i = 0; i < r->header.operand_count; i++) {
        if (r->operands[i].role != OUTPUT) continue;
        fwrite(r->memory[i].data, 1, r->memory[i].size, stdout);
    }
    fflush(stdout);
    for (int i = 0; i < MAX_OPERANDS; i++) guarded_free(&r->memory[i]);
    guarded_free(&r->packed);
    guarded_free(&r->workspace);
    free(original);
}

int main(int argc, char** argv) {
    if (argc == 2 && strcmp(argv[1], "list") == 0) return list();
    if (argc != 2 || strcmp(argv[1], "serve") != 0) {
        fprintf(stderr, "usage: kernels list|serve\n");
        return 64;
    }
    request_t request = {0};
    while (fread(&request.header, sizeof request.header, 1, stdin) == 1) {
        alarm(SECONDS_PER_CALL); /* a kernel that never ends must not keep the suite waiting */
        answer(&request);
        request = (request_t){0};
    }
    return 0;
}
