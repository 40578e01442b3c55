/* Locks for threads. Who takes his first also gets a CPU number: whatever is
 * done without one comes here. Who finds one held looks at it for a moment,
 * since nobody holds one for long, and then lets others run: the holder may be
 * waiting for this very CPU. */
#include <oct/assert.h>
#include <oct/lock.h>

#include <sched.h>

#include "lab/port/cpu.h"

enum { LOOKS = 100 };

bool lock_try(struct lock *l)
{
    return !lock_held(l) &&
           !__atomic_exchange_n(&l->held, true, __ATOMIC_ACQUIRE);
}

void lock_acquire(struct lock *l)
{
    if (!oct_this_cpu.asked)
        oct_cpu_take();
    for (unsigned looks = 0; !lock_try(l); looks++)
        if (looks >= LOOKS)
            sched_yield();
}

void lock_release(struct lock *l)
{
    assert(lock_held(l));
    __atomic_store_n(&l->held, false, __ATOMIC_RELEASE);
}
