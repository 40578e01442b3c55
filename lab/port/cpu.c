#include "lab/port/cpu.h"

#include <pthread.h>
#include <stdint.h>

enum { BITS = 64 };

__thread struct oct_cpu oct_this_cpu = {.number = OCT_CPUS_MAX};

static uint64_t taken[OCT_CPUS_MAX / BITS];
static unsigned seen;         /* one past the highest number ever taken */
static unsigned key_plus_one; /* 0: not made yet */

/* Whoever takes a number sees what its former thread did with its caches. */
static bool try_take(unsigned cpu)
{
    uint64_t bit = 1ull << cpu % BITS;
    uint64_t *word = &taken[cpu / BITS];
    return !(__atomic_fetch_or(word, bit, __ATOMIC_ACQUIRE) & bit);
}

static void give_back(unsigned cpu)
{
    uint64_t bit = 1ull << cpu % BITS;
    __atomic_fetch_and(&taken[cpu / BITS], ~bit, __ATOMIC_RELEASE);
}

static void note_seen(unsigned cpu)
{
    unsigned before = oct_cpus_seen();
    while (before <= cpu &&
           !__atomic_compare_exchange_n(&seen, &before, cpu + 1, false,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        continue;
}

static unsigned take_lowest(void)
{
    for (unsigned i = 0; i < OCT_CPUS_MAX / BITS; i++) {
        uint64_t word;
        while (~(word = __atomic_load_n(&taken[i], __ATOMIC_RELAXED)) != 0) {
            unsigned cpu = i * BITS + (unsigned)__builtin_ctzll(~word);
            if (try_take(cpu)) {
                note_seen(cpu);
                return cpu;
            }
        }
    }
    return OCT_CPUS_MAX;
}

/* Not taken anew if other destructors of this thread still allocate: there may
 * be none of ours to come that would give it back. */
static void thread_ends(void *value)
{
    (void)value;
    unsigned cpu = oct_this_cpu.number;
    oct_this_cpu.number = OCT_CPUS_MAX;
    give_back(cpu);
}

/* The first to need the key makes it. If several do, one of theirs stays:
 * nobody waits, so a fork in the middle does no harm. */
static bool find_key(pthread_key_t *key)
{
    unsigned found = __atomic_load_n(&key_plus_one, __ATOMIC_ACQUIRE);
    if (found == 0) {
        if (pthread_key_create(key, thread_ends) != 0)
            return false;
        if (__atomic_compare_exchange_n(&key_plus_one, &found, *key + 1, false,
                                        __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            return true;
        pthread_key_delete(*key);
    }
    *key = found - 1;
    return true;
}

/* For a key past the first few pthread_setspecific allocates, which may come
 * back here: so it is noted first that it was asked. */
void oct_cpu_take(void)
{
    pthread_key_t key;
    oct_this_cpu.asked = true;
    unsigned cpu = take_lowest();
    oct_this_cpu.number = cpu;
    if (cpu < OCT_CPUS_MAX &&
        !(find_key(&key) && pthread_setspecific(key, &taken[cpu / BITS]) == 0))
        thread_ends(NULL); /* nothing would give it back later */
}

unsigned oct_cpus_seen(void)
{
    return __atomic_load_n(&seen, __ATOMIC_RELAXED);
}

bool oct_cpu_borrow(unsigned cpu)
{
    return cpu == oct_cpu() || try_take(cpu);
}

void oct_cpu_return(unsigned cpu)
{
    if (cpu != oct_cpu())
        give_back(cpu);
}

void oct_cpu_forked(void)
{
    unsigned mine = oct_cpu(); /* none: past all words */
    for (unsigned i = 0; i < OCT_CPUS_MAX / BITS; i++) {
        uint64_t left = mine / BITS == i ? 1ull << mine % BITS : 0;
        __atomic_store_n(&taken[i], left, __ATOMIC_RELAXED);
    }
}
