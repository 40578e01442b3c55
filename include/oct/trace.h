/* Traces: what a program asked of its allocator, in order, without addresses.
 * docs/traces.md has the format byte by byte.
 *
 * An object is known by the number of its slot. A new one gets the slot that
 * was freed last, or if none is free the next one, so the numbers stay below
 * the most objects that ever lived at once and an allocation need not tell its
 * own. Reader and writer each keep track of the free slots. */
#pragma once

#include <oct/types.h>

#define TRACE_MAGIC "octtrc1\n"
#define TRACE_MAGIC_BYTES 8
#define TRACE_NAME_MAX 63u /* characters of the name of what was recorded */

#define TRACE_HEADER_MAX (TRACE_MAGIC_BYTES + 2 + TRACE_NAME_MAX)

/* Bytes of an event with the marks before it, and of what ends a trace. */
#define TRACE_EVENT_MAX 32u
#define TRACE_END_MAX 16u

#define TRACE_SLOTS_MAX 0x7fffffffu
#define TRACE_THREADS_MAX 0xffffffu

enum trace_op { TRACE_ALLOC, TRACE_FREE, TRACE_RESIZE };

struct trace_event {
    enum trace_op op;
    uint32_t slot;
    uint32_t thread;    /* counted from 0 */
    uint64_t size;      /* TRACE_ALLOC, TRACE_RESIZE: bytes */
    unsigned align_log; /* TRACE_ALLOC: of the alignment asked for; 0: none */
};

/* --- writing --- */

struct trace_writer {
    /* Takes n bytes of the trace. */
    void (*put)(void *context, const void *bytes, size_t n);
    void *context;
    uint64_t events;
    uint32_t check;  /* of the bytes so far */
    uint32_t last;   /* slot last freed or resized */
    uint32_t thread; /* of the event before */
};

/* Begins a trace of a program with words of `word` bytes, 4 or 8. Characters of
 * the name that do not print are replaced, those too many left out. */
void trace_write_header(struct trace_writer *w, const char *name,
                        unsigned word);

/* The event's slot must be the one that the reader will expect. Puts
 * TRACE_EVENT_MAX bytes at most, all at once; the others likewise. */
void trace_write(struct trace_writer *w, const struct trace_event *e);
void trace_write_end(struct trace_writer *w);

/* --- reading --- */

struct trace_facts {
    char name[TRACE_NAME_MAX + 1];
    unsigned word; /* bytes */
    uint64_t events, allocs, frees, resizes;
    uint32_t slots;   /* the most objects that lived at once */
    uint32_t threads; /* how many made events */
};

struct trace_reader {
    const uint8_t *at, *end;
    uint32_t *next; /* slot -> the free one below it, or TRACE_LIVE */
    uint32_t slots; /* entries there, */
    uint32_t used;  /* of them so far in use or free, */
    uint32_t free;  /* the one freed last, or TRACE_NO_SLOT */
    uint32_t last;  /* slot last freed or resized */
    uint32_t thread;
    uint64_t events;
    const char *wrong;
};

#define TRACE_NO_SLOT 0xffffffffu
#define TRACE_LIVE 0xfffffffeu

/* Looks at a whole trace of n bytes. Returns NULL and fills *facts, or says
 * what is wrong with it. */
const char *trace_check(const void *trace, size_t n, struct trace_facts *facts);

/* Begins to read a trace that trace_check found good; `next` has room for
 * facts->slots numbers, which are the reader's. */
void trace_read(struct trace_reader *r, const void *trace, size_t n,
                uint32_t *next, uint32_t slots);

/* True with the next event. False at the end; r->wrong is NULL, or says what is
 * wrong: a free or resize of what is not live. */
bool trace_next(struct trace_reader *r, struct trace_event *e);
