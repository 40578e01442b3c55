/* Replays a trace (<oct/trace.h>) through an allocator, in one thread and in
 * the order recorded. What is in the objects is checked: each byte that is
 * written tells whose it is and where it lies, and is looked at again when the
 * object is resized or freed. */
#pragma once

#include <oct/trace.h>

#define REPLAY_SAMPLES 64

/* The allocator, and the machine's view of it. */
struct replay_ops {
    /* NULL: no memory. `align` is 0 or a power of two. */
    void *(*alloc)(uint64_t size, uint64_t align);
    void *(*resize)(void *p, uint64_t size); /* NULL: p stays as it was */
    void (*free)(void *p);
    uint64_t (*taken)(void); /* bytes of memory in use by all, at this moment */
    uint64_t (*clock)(void);
};

struct replay_sample {
    uint64_t step;  /* events so far, */
    uint64_t live;  /* bytes asked for in objects that live then, */
    uint64_t taken; /* bytes taken since the start */
};

struct replay_report {
    uint64_t events;
    uint64_t clock;      /* counts for all events, reading the trace included */
    uint64_t reading;    /* counts for reading the trace alone */
    uint64_t refused;    /* requests that got no memory */
    uint64_t damaged;    /* objects whose content was wrong, or alignment */
    uint64_t damaged_at; /* event at which the first was found */
    uint64_t peak_live, peak_taken; /* the latter among the samples */
    size_t samples;
    struct replay_sample sample[REPLAY_SAMPLES + 2];
};

/* Bytes of memory that a replay needs beside the objects. */
size_t replay_bytes(const struct trace_facts *facts);

/* Replays a trace that trace_check found good. `memory` has replay_bytes,
 * aligned for pointers. Every byte of each object is written and
 * checked if `thorough`, else some in each 4096 and the last. Objects that
 * live on at the end are freed. NULL, or what is wrong with the trace. */
const char *replay(const void *trace, size_t n, const struct trace_facts *facts,
                   const struct replay_ops *ops, bool thorough, void *memory,
                   struct replay_report *report);
