/* Cutting a failing stream down: leave out runs of operations, long ones first,
 * as long as what is left still fails. Each try is a child process, because it
 * needs machines fresh from boot and may crash. */
#include "child.h"
#include "stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 150
#define SHOWN 40

struct trial {
    const struct format_ops *const *formats;
    size_t format_count;
    const struct op *ops;
    size_t n;
};

static bool run_trial(const void *argument, char *why, size_t size)
{
    const struct trial *t = argument;
    struct stream_result r =
        stream_run(t->formats, t->format_count, t->ops, t->n);
    if (!r.wrong)
        return true;
    char op[128];
    stream_describe(&t->ops[r.at], op, sizeof(op));
    snprintf(why, size, "%zu %s: %s, after %s", r.at + 1, r.format, r.wrong,
             op);
    return false;
}

/* Removes ops[at, at + count) if the stream fails without them too. */
static bool try_without(struct trial *t, struct op *ops, size_t at,
                        size_t count)
{
    char why[CHILD_WHY];
    struct op *fewer = malloc(t->n * sizeof(*fewer));
    memcpy(fewer, ops, at * sizeof(*fewer));
    memcpy(fewer + at, ops + at + count, (t->n - at - count) * sizeof(*fewer));
    struct trial next = *t;
    next.ops = fewer;
    next.n = t->n - count;
    bool fails = next.n > 0 && !child_run(run_trial, &next, true, why);
    if (fails) {
        memcpy(ops, fewer, next.n * sizeof(*ops));
        t->n = next.n;
    }
    free(fewer);
    return fails;
}

static void shrink(struct trial *t, struct op *ops)
{
    unsigned tries = 0;
    for (size_t chunk = t->n / 2; chunk > 0; chunk /= 2)
        for (size_t at = 0; at + chunk <= t->n && tries < TRIES; tries++)
            if (!try_without(t, ops, at, chunk))
                at += chunk;
}

static void show(struct trial *t, uint64_t seed)
{
    char why[CHILD_WHY], line[160];
    child_run(run_trial, t, false, why);
    printf("# SEED=%" PRIu64 " fails with %zu operations: %s\n", seed, t->n,
           why);
    for (size_t i = 0; i < t->n && i < SHOWN; i++) {
        stream_describe(&t->ops[i], line, sizeof(line));
        printf("#   %s\n", line);
    }
}

bool stream_check(const struct format_ops *const *formats, size_t format_count,
                  uint64_t seed, size_t n)
{
    struct op *ops = malloc(n * sizeof(*ops));
    struct trial t = {formats, format_count, ops, n};
    char why[CHILD_WHY];
    stream_make(seed, ops, n);
    bool good = child_run(run_trial, &t, true, why);
    if (!good) {
        size_t reached = strtoul(why, NULL, 10); /* 0 if it crashed */
        if (reached > 0 && reached < n)
            t.n = reached;
        if (!getenv("QUICK"))
            shrink(&t, ops);
        show(&t, seed);
    }
    free(ops);
    return good;
}
