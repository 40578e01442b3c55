/* CPU numbers for threads. The core keeps frames and objects at hand for each
 * CPU; here a CPU is a thread. A thread gets the lowest free number when it
 * first takes a lock (lock.c) and gives it back when it ends, so threads that
 * come and go use the same few, and what one of them had at hand is the next
 * one's.
 *
 * Threads without a number have the number OCT_CPUS_MAX, which nothing is kept
 * for: all that they do takes locks. So whoever looks up a number need not ask
 * whether there is one. There may be more threads than numbers, and a thread
 * may go on after it gave its number back: destructors of thread-local data run
 * in no given order. */
#pragma once

#include <stdbool.h>

enum { OCT_CPUS_MAX = 4096 };

struct oct_cpu {
    unsigned number;
    bool asked; /* has a number, had one, or could not have one */
};

/* The calling thread's. */
extern __thread struct oct_cpu oct_this_cpu
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* Gives the calling thread, which did not ask yet, a number if it can. May
 * allocate, so no lock is held. */
void oct_cpu_take(void);

/* The calling thread's number, 0 to OCT_CPUS_MAX. */
static inline unsigned oct_cpu(void)
{
    return oct_this_cpu.number;
}

/* Numbers from this on no thread has had yet. */
unsigned oct_cpus_seen(void);

/* Takes the number `cpu` away from threads to come, so that the caller may do
 * with its caches what only their owner may; the caller's own it has already.
 * False: another thread has it. */
bool oct_cpu_borrow(unsigned cpu);
void oct_cpu_return(unsigned cpu);

/* In the child of a fork: no thread but the caller is left. */
void oct_cpu_forked(void);
