/* What both racing programs need. What they keep for themselves is never
 * malloc's, so that the allocator under test has nothing but the test in it.
 *
 * What is timed stands in functions called measured_...: when instructions are
 * counted, callgrind is told to count inside of these only. Nothing else may be
 * done in them, and no warming up. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define MEASURED static __attribute__((noinline))

static inline uint64_t clock_ns(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static inline uint64_t now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

/* Of the processor, for races of one thread: other programs do not count. It
 * costs a system call. */
static inline uint64_t busy_ns(void)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

/* Marsaglia's xorshift; *state is not 0. */
static inline uint64_t random_next(uint64_t *state)
{
    uint64_t x = *state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return *state = x;
}

/* 0 <= result < n, n below 2^32. */
static inline size_t random_below(uint64_t *state, size_t n)
{
    return (size_t)((random_next(state) >> 32) * n >> 32);
}

/* Says why on standard error and ends the program with status 1. */
_Noreturn void die(const char *format, ...)
    __attribute__((format(printf, 1, 2), cold));

/* Zeroed memory that is there already, so that no page fault is timed; it is
 * kept until the program ends. Dies if there is none. */
void *own_memory(size_t bytes);

/* One line, `metric value`, on standard output. */
void report(const char *metric, double value);

/* The same for `operations` that took `ns` in all. */
void report_time(uint64_t ns, size_t operations);

/* Nanoseconds that lie between two readings of the clock, at least. */
uint32_t clock_cost(void);

/* Sorts the samples; the one that `part` (0 to 1) of them do not exceed. */
void sort_samples(uint32_t *samples, size_t n);
uint32_t percentile(const uint32_t *sorted, size_t n, double part);

/* A number from the command line; dies if it is not 1 or more. */
size_t parse_count(const char *text);
