/* Records what a program asks of its allocator, as a trace (docs/traces.md).
 *
 *   OCT_TRACE=FILE       record to FILE, which is made anew
 *   OCT_TRACE_EVENTS=N   stop after N events; the trace is whole all the same
 *
 * The allocator calls, and gives what it knows: recorder_alloc after it has
 * allocated, recorder_free before it frees, recorder_resize after it has. Each
 * thread's calls are seen in their order; all threads share a lock.
 *
 * Takes memory from mmap alone. A forked child does not record, nor does a
 * program that this one starts: the variable is taken out of the environment.
 * The trace ends when the process exits; one that is killed, or calls _exit,
 * leaves it cut short, which its readers say. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct recorder_switch {
    bool on;
};

/* Points to false until recorder_start, after the end, and in a forked
 * child. */
extern struct recorder_switch *recorder_switch;

static inline bool recorder_on(void)
{
    return __builtin_expect(recorder_switch->on, false);
}

/* Once, while there is one thread. NULL: where OCT_TRACE says; does nothing if
 * it says nothing. What hinders it is said on standard error. */
void recorder_start(const char *path);

/* Only while recorder_on(). NULL pointers are nothing. `align`: what was asked
 * for, a power of two, or 0 if nothing was. */
void recorder_alloc(const void *p, size_t size, size_t align);
void recorder_free(const void *p);

/* Of a call that gave an object another size; p may be where it was. */
void recorder_resize(const void *old, const void *p, size_t size);
