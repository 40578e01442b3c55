#include <oct/arch.h>
#include <oct/assert.h>
#include <oct/lock.h>

/* Nobody holds a lock for so many turns: its holder waits for itself. */
#define TURNS_MAX (1ul << 28)

static void spin_until_free(const struct lock *l)
{
    for (unsigned long turns = 0; lock_held(l); turns++)
        if (turns == TURNS_MAX)
            panic("deadlock: lock %p is never released", (const void *)l);
}

void lock_acquire(struct lock *l)
{
    unsigned long irq = arch_irq_save();
    while (__atomic_test_and_set(&l->held, __ATOMIC_ACQUIRE))
        spin_until_free(l);
    l->irq = irq;
}

void lock_release(struct lock *l)
{
    unsigned long irq = l->irq;
    assert(lock_held(l));
    __atomic_store_n(&l->held, false, __ATOMIC_RELEASE);
    arch_irq_restore(irq);
}

bool lock_try(struct lock *l)
{
    unsigned long irq = arch_irq_save();
    bool got = !__atomic_test_and_set(&l->held, __ATOMIC_ACQUIRE);
    if (got)
        l->irq = irq;
    else
        arch_irq_restore(irq);
    return got;
}
