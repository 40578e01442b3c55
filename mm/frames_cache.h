/* The frames that each CPU keeps at hand (frames_cache.c). */
#pragma once

#include "mm/frames_banks.h"

#include <arch/irq.h>

#define FRAME_CACHE_MAX 64

/* A CPU's, and touched by it only, with its interrupts off; others may look at
 * the count. */
struct frame_cache {
    unsigned count;               /* frames in it */
    unsigned size;                /* most it may have; 0: it was never used */
    size_t unit[FRAME_CACHE_MAX]; /* of the home bank */
} __attribute__((aligned(64)));

/* Bytes of all of them. */
size_t caches_bytes(unsigned cpus);

/* Decides which frames may be at hand, and how many. The banks are known. */
void caches_open(struct frames *m);

/* This CPU's cache is empty and gets frames, or is full (or was never used) and
 * gets room; false if that is not to be had. */
bool cache_refill(struct frames *m);
bool cache_flush(struct frames *m);

/* Gives all frames of a cache back: this CPU's, or one of a CPU that does not
 * run. Returns how many. The manager's lock is held. */
size_t cache_drain(struct frames *m, unsigned cpu);

/* Frames in all caches. */
size_t caches_count(const struct frames *m);

/* Works out when the fast path may be taken, after a change of what it hangs
 * on. The lock is held. */
void caches_rule(struct frames *m);

/* NULL, or what does not agree with the frames' entries. */
const char *caches_check(struct frames *m);

static inline unsigned cache_count(const struct frame_cache *c)
{
    return __atomic_load_n(&c->count, __ATOMIC_RELAXED);
}

static inline void cache_set_count(struct frame_cache *c, unsigned count)
{
    __atomic_store_n(&c->count, count, __ATOMIC_RELAXED);
}

/* CPUs from this on may not use their caches now. */
static inline unsigned cpus_allowed(const struct frames *m)
{
    return __atomic_load_n(&m->cpus_allowed, __ATOMIC_RELAXED);
}

/* A request for one frame that may be one of those at hand. */
static inline bool is_plain(const struct frames *m, size_t n, uint64_t align,
                            uint64_t limit)
{
    return n == 1 && align == PAGE_SIZE &&
           (limit == m->direct_end || (limit > m->direct_end && !m->high));
}

/* The number of a frame in the home bank; too large if it is not there. */
static inline paddr_t unit_at_home(const struct frames *m, paddr_t pa)
{
    return (pa - m->home_row.base) >> PAGE_SHIFT;
}

/* Is in the bank whose frames CPUs keep at hand, and none of those that help to
 * make groups whole. */
static inline bool is_good_at_hand(const struct frames *m, paddr_t pa)
{
    paddr_t unit = unit_at_home(m, pa);
    return unit < m->home_row.units &&
           (!m->home_map || freemap_is_well_placed(m->home_map, (size_t)unit));
}

/* Is one frame, with one owner. */
static inline bool is_single(const struct frame *entry, size_t unit)
{
    struct frame f = frame_get(entry);
    return f.kind >= FRAME_KERNEL && !f.more && f.value <= FRAME_ONE &&
           (unit == 0 || !frame_get(entry - 1).more);
}

/* One of the frames at hand for this CPU, now the caller's; 0: there is none,
 * or they are not to be used now. */
static inline paddr_t cache_pop(struct frames *m)
{
    paddr_t pa = 0;
    unsigned long irq = arch_irq_save();
    unsigned cpu = arch_cpu_id(), count;
    struct frame_cache *c = &m->cache[cpu];
    if (cpu < cpus_allowed(m) && (count = cache_count(c)) > 0) {
        size_t unit = c->unit[count - 1];
        pa = m->home_row.base + ((paddr_t)unit << PAGE_SHIFT);
        frame_set(&m->home_row.entry[unit], FRAME_ALLOCATED);
        cache_set_count(c, count - 1);
    }
    arch_irq_restore(irq);
    return pa;
}

/* Takes a single frame of its owner; false: there is no room for it, or it is
 * not to be kept at hand, now or ever, or the caller has no such frame. */
__attribute__((always_inline)) static inline bool cache_push(struct frames *m,
                                                             paddr_t pa)
{
    size_t unit = (size_t)unit_at_home(m, pa);
    struct frame *entry = &m->home_row.entry[unit];
    if (!is_good_at_hand(m, pa) || !is_aligned(pa, PAGE_SIZE) ||
        !is_single(entry, unit))
        return false;
    unsigned long irq = arch_irq_save();
    unsigned cpu = arch_cpu_id(), count;
    struct frame_cache *c = &m->cache[cpu];
    bool room = cpu < cpus_allowed(m) && (count = cache_count(c)) < c->size;
    if (room) {
        c->unit[count] = unit;
        frame_set(entry, FRAME_AT_HAND);
        cache_set_count(c, count + 1);
    }
    arch_irq_restore(irq);
    return room;
}
