/* Makes a trace (<oct/trace.h>) of what an allocator is asked for: finds the
 * slots of objects by their addresses. Allocates nothing: its owner gives it
 * memory, and locks. */
#pragma once

#include <oct/trace.h>

struct tracer_entry;

struct tracer {
    struct trace_writer writer;
    struct tracer_entry *table; /* by address, open addressing */
    size_t entries;             /* there, a power of two */
    size_t live;                /* of them in use: at most half */
    uint32_t *free;             /* a stack of slots */
    uint32_t free_count;
    uint32_t slots; /* so far in use or free */
};

/* Bytes of memory for a table of so many entries, a power of two. */
size_t tracer_bytes(size_t entries);

/* The most entries, a power of two, for which `bytes` suffice. */
size_t tracer_entries(size_t bytes);

/* Gives it its first memory, or larger memory: zeroed, of tracer_bytes(entries)
 * bytes, aligned for pointers. What it had before is no longer used. */
void tracer_move(struct tracer *t, void *memory, size_t entries);

/* Another object may be too many: tracer_move first, or record no more. */
bool tracer_is_full(const struct tracer *t);

/* An object at p that is new (old NULL), freed (p NULL), or was at `old` and
 * now is at p with another size. `align` is 0 or a power of two. Unknown
 * objects are new when they are resized, and are not freed. Both NULL is
 * nothing.
 *
 * While a resize that moved an object waits to be told, its old address may be
 * told to be a new object's: both are known until then. */
void tracer_event(struct tracer *t, uint32_t thread, const void *old,
                  const void *p, uint64_t size, uint64_t align);
