/* Spin locks that also keep the holder's CPU from taking interrupts, so that
 * an interrupt handler may take the same lock. Not recursive. */
#pragma once

#include <oct/types.h>

struct lock {
    bool held;
    unsigned long irq; /* interrupt state to restore; the holder's */
};

void lock_acquire(struct lock *l);
void lock_release(struct lock *l);

/* Acquires it if nobody holds it; false otherwise. Does not wait. */
bool lock_try(struct lock *l);

/* For assertions: true while somebody holds it. */
static inline bool lock_held(const struct lock *l)
{
    return __atomic_load_n(&l->held, __ATOMIC_RELAXED);
}
