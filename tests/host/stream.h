/* A random stream of paging operations, run through any number of formats side
 * by side. Which operations come does not depend on what the earlier ones did,
 * so a failing stream can be cut down to those that matter. */
#pragma once

#include "model.h"

enum op_kind { OP_MAP, OP_UNMAP, OP_PROTECT, OP_TOGGLE };

/* How an operation's arguments are wrong. */
enum op_bad {
    BAD_NOT,
    BAD_VA, /* not page aligned */
    BAD_PA, /* the same; and the next: of OP_MAP, else like BAD_VA */
    BAD_PA_WRAPS,
    BAD_LEN, /* not page aligned */
    BAD_LEN_ZERO,
    BAD_LEN_WRAPS, /* the range ends at 2^64 */
    BAD_LEN_HUGE,  /* the range wraps past 2^64 */
    BAD_NO_READ,   /* of OP_MAP and OP_PROTECT, else like BAD_VA */
    BAD_PROT,      /* an unknown right */
    BAD_KINDS
};

struct op {
    enum op_kind kind;
    enum op_bad bad;
    struct model_range at;
    uint64_t pa;
    unsigned prot;
    bool starve; /* first fail at each of its table allocations in turn */
};

/* Makes the n operations that the seed stands for. */
void stream_make(uint64_t seed, struct op *ops, size_t n);

/* One line about an operation. */
void stream_describe(const struct op *op, char *to, size_t size);

struct stream_result {
    const char *wrong;  /* NULL: all is well */
    const char *format; /* where */
    size_t at;          /* after this operation */
};

/* Starts the formats' machines and runs the operations, comparing everything
 * after each. Once in a process. */
struct stream_result stream_run(const struct format_ops *const *formats,
                                size_t format_count, const struct op *ops,
                                size_t n);

/* Runs the stream of a seed in a child process. If it fails, cuts it down, and
 * prints as TAP comments the seed, what is wrong and the operations that
 * remain. True if all was well. */
bool stream_check(const struct format_ops *const *formats, size_t format_count,
                  uint64_t seed, size_t n);
