/* Most frames are asked for one at a time, and most come back so. Each CPU
 * keeps some of them at hand, last in, first out: it touches nothing that
 * another CPU writes, and takes no lock. When it has none left it gets half of
 * what it may have, and when it has too many it gives half of them back, the
 * ones it had longest; both under one lock.
 *
 * For the bank's manager a frame at hand is taken, so it never finds it. The
 * frame's entry says FRAME_FREE and AT_HAND, so that a second free is refused
 * as ever. (Of two CPUs that free one frame in the same instant, none may see
 * the other: that alone is found later, by frames_check.)
 *
 * What it costs: frames at hand are missing when somebody wants a run, and keep
 * a group from being whole. A CPU may therefore keep 1/1024 of RAM, and 64
 * frames, at most; they come out of the groups that are used most. Who finds
 * nothing has his own CPU's given back, and tries again. A kernel that runs
 * several CPUs will want to ask the others too, by an interrupt, before it says
 * no; here what they keep is bounded, and they are not asked.
 *
 * All frames at hand are of one bank, so that a number says which. It is the
 * largest one of the direct map, but not one that devices with short addresses
 * can reach, if there are others: nobody should get such frames by chance. What
 * is in other banks costs a lock. When not much more than the reserve is left
 * nothing is kept or handed out here, so that the reserve's rule is kept to the
 * frame; nor with junk or injected failures on, so that each call counts. */
#include "mm/frames_cache.h"

#include <oct/assert.h>
#include <oct/string.h>

#define CACHE_SHARE 1024

size_t caches_bytes(unsigned cpus)
{
    return cpus * sizeof(struct frame_cache);
}

static bool is_for_devices(const struct frames *m, const struct bank *b)
{
    for (const struct bank *other = b; other < banks_end(m); other++)
        if (b->base < m->dma_limit && other->base >= m->dma_limit &&
            is_direct(other))
            return true;
    return false;
}

/* Tells the fast path whether it may be taken. */
static void allow(struct frames *m)
{
    assert(lock_held(&m->lock));
    unsigned allowed = m->stats.free_direct >= m->few ? m->cpus : 0;
    if (allowed != m->cpus_allowed)
        __atomic_store_n(&m->cpus_allowed, allowed, __ATOMIC_RELAXED);
}

void caches_open(struct frames *m)
{
    size_t most = m->stats.total / CACHE_SHARE;
    for (struct bank *b = m->banks; b < banks_end(m); b++) {
        if (is_direct(b) && !is_for_devices(m, b) &&
            (!m->home || b->units > m->home->units))
            m->home = b;
        m->high |= !is_direct(b);
    }
    if (m->home)
        m->cache_size = (unsigned)min_size(most, FRAME_CACHE_MAX) & ~1u;
    if (m->home)
        m->home_row =
            (struct frame_row){m->home->base, m->home->units, m->home->frame};
    if (m->home && m->home->manager == &bitmap_manager)
        m->home_map = &m->home->map;
    lock_acquire(&m->lock);
    caches_rule(m);
    lock_release(&m->lock);
}

void caches_rule(struct frames *m)
{
    bool never = m->junk || m->fail_after >= 0 || m->cache_size == 0;
    size_t reserve = m->stats.reserve;
    m->few = never ? (size_t)-1 : reserve > 0 ? reserve + m->cache_size : 0;
    allow(m);
}

void bank_lost(struct bank *b, size_t n)
{
    assert(lock_held(&b->owner->lock) && b->free >= n);
    b->free -= n;
    b->owner->stats.free_direct -= is_direct(b) ? n : 0;
    allow(b->owner);
}

void bank_won(struct bank *b, size_t n)
{
    assert(lock_held(&b->owner->lock) && n <= b->units - b->free);
    b->free += n;
    b->owner->stats.free_direct += is_direct(b) ? n : 0;
    allow(b->owner);
}

/* This CPU's, if it may use it now. The lock keeps it on this CPU. */
static struct frame_cache *cache_here(struct frames *m)
{
    assert(lock_held(&m->lock));
    unsigned cpu = arch_cpu_id();
    if (cpu >= m->cpus_allowed)
        return NULL;
    if (m->cpus_used <= cpu)
        m->cpus_used = cpu + 1;
    return &m->cache[cpu];
}

/* So that the lowest comes out first, and freed in that order goes back as a
 * run. */
static void reverse(size_t unit[], unsigned n)
{
    for (unsigned i = 0; i < n / 2; i++) {
        size_t other = unit[n - 1 - i];
        unit[n - 1 - i] = unit[i];
        unit[i] = other;
    }
}

bool cache_refill(struct frames *m)
{
    lock_acquire(&m->lock);
    struct frame_cache *c = cache_here(m);
    struct bank *b = m->home;
    if (c && c->count == 0 && b->free > 0) {
        c->size = m->cache_size;
        unsigned got = (unsigned)b->manager->take_some(b, c->size / 2, c->unit);
        reverse(c->unit, got);
        for (unsigned i = 0; i < got; i++)
            frame_set(&b->frame[c->unit[i]], FRAME_AT_HAND);
        bank_lost(b, got);
        cache_set_count(c, got);
    }
    bool filled = c && c->count > 0;
    lock_release(&m->lock);
    return filled;
}

/* How many of these come one after the other, as they often do. */
static unsigned rising(const size_t unit[], unsigned n)
{
    unsigned run = 1;
    while (run < n && unit[run] == unit[run - 1] + 1)
        run++;
    return run;
}

/* Gives the n that it had longest back. */
static void give_back(struct frames *m, struct frame_cache *c, unsigned n)
{
    struct bank *b = m->home;
    assert(lock_held(&m->lock) && n <= c->count);
    for (unsigned i = 0, run; i < n; i += run) {
        run = rising(c->unit + i, n - i);
        for (unsigned j = 0; j < run; j++)
            frame_set(&b->frame[c->unit[i + j]], FRAME_NOBODYS);
        b->manager->give(b, c->unit[i], run);
    }
    bank_won(b, n);
    memmove(c->unit, c->unit + n, (c->count - n) * sizeof(*c->unit));
    cache_set_count(c, c->count - n);
}

bool cache_flush(struct frames *m)
{
    lock_acquire(&m->lock);
    struct frame_cache *c = cache_here(m);
    bool full = c && c->count == c->size;
    if (full) {
        give_back(m, c, c->size / 2);
        c->size = m->cache_size;
    }
    lock_release(&m->lock);
    return full;
}

size_t cache_drain(struct frames *m, unsigned cpu)
{
    assert(lock_held(&m->lock));
    struct frame_cache *c = cpu < m->cpus_used ? &m->cache[cpu] : NULL;
    unsigned count = c ? c->count : 0;
    if (count > 0)
        give_back(m, c, count);
    return count;
}

void frames_drain(struct frames *m)
{
    lock_acquire(&m->lock);
    cache_drain(m, arch_cpu_id());
    lock_release(&m->lock);
}

void frames_drain_cpu(struct frames *m, unsigned cpu)
{
    lock_acquire(&m->lock);
    cache_drain(m, cpu);
    lock_release(&m->lock);
}

size_t caches_count(const struct frames *m)
{
    size_t frames = 0;
    for (unsigned cpu = 0; cpu < m->cpus_used; cpu++)
        frames += cache_count(&m->cache[cpu]);
    return frames;
}

static bool all_at_hand(const struct bank *b, const struct frame_cache *c)
{
    for (unsigned i = 0; i < c->count; i++)
        if (c->unit[i] >= b->units || !is_at_hand(&b->frame[c->unit[i]]))
            return false;
    return true;
}

const char *caches_check(struct frames *m)
{
    assert(lock_held(&m->lock));
    size_t in_caches = caches_count(m);
    for (unsigned cpu = 0; cpu < m->cpus_used; cpu++) {
        const struct frame_cache *c = &m->cache[cpu];
        if (c->count > c->size || c->size > m->cache_size)
            return "frames: a CPU has too many at hand";
        if (!all_at_hand(m->home, c))
            return "frames: a frame at hand is not marked so";
    }
    for (struct bank *b = m->banks; b < banks_end(m); b++)
        for (size_t unit = 0; unit < b->units; unit++)
            in_caches -= is_at_hand(&b->frame[unit]);
    return in_caches ? "frames: a frame is at hand for nobody, or for two"
                     : NULL;
}
