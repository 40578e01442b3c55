/* Who may have a frame when there are few. A small reserve of the direct map is
 * kept for those who cannot wait, such as interrupt handlers; the rest are told
 * no while there are still frames, but not before everybody who keeps frames
 * only to be fast has been asked to give them back.
 */
#include "mm/frames_cache.h"

#include <oct/assert.h>
#include <oct/context.h>
#include <oct/report.h>

/* Waits until the list may be changed; returns with the lock. */
static void lock_shrinkers(struct frames *m)
{
    lock_acquire(&m->lock);
    while (m->reclaiming) {
        lock_release(&m->lock);
        let_others_run();
        lock_acquire(&m->lock);
    }
}

void frames_add_shrinker(struct frames *m, struct shrinker *s)
{
    assert(s->shrink && s->name);
    lock_shrinkers(m);
    list_append(&m->shrinkers, &s->link);
    lock_release(&m->lock);
}

void frames_remove_shrinker(struct frames *m, struct shrinker *s)
{
    lock_shrinkers(m);
    list_remove(&s->link);
    lock_release(&m->lock);
}

void frames_visit_shrinkers(struct frames *m,
                            void (*visit)(void *context,
                                          const struct shrinker *),
                            void *context)
{
    list_for_each (link, &m->shrinkers)
        visit(context, container_of(link, struct shrinker, link));
}

/* Would n frames of the direct map leave the reserve alone? Those at hand for
 * this CPU are given back before the answer is no. */
static bool spares_reserve(struct frames *m, size_t n)
{
    assert(lock_held(&m->lock));
    const struct frames_stats *s = &m->stats;
    do
        if (s->free_direct >= s->reserve && s->free_direct - s->reserve >= n)
            return true;
    while (cache_drain(m, arch_cpu_id()) > 0);
    return false;
}

size_t frames_reclaim(struct frames *m)
{
    size_t total = 0;
    lock_acquire(&m->lock);
    m->stats.reclaims++;
    m->reclaiming++;
    lock_release(&m->lock);
    list_for_each (link, &m->shrinkers) {
        struct shrinker *s = container_of(link, struct shrinker, link);
        size_t given_back = s->shrink(s);
        __atomic_fetch_add(&s->calls, 1, __ATOMIC_RELAXED);
        __atomic_fetch_add(&s->given_back, given_back, __ATOMIC_RELAXED);
        total += given_back;
    }
    lock_acquire(&m->lock);
    m->reclaiming--;
    lock_release(&m->lock);
    return total;
}

static uint64_t narrow(const struct frames *m, uint64_t limit, gfp_t flags)
{
    if (flags & __GFP_DMA)
        return limit < m->dma_limit ? limit : m->dma_limit;
    return (flags & __GFP_HIGH) || limit < m->direct_end ? limit
                                                         : m->direct_end;
}

/* High frames have no reserve; below direct_end it is for those who may. */
static paddr_t alloc_locked(struct frames *m, size_t n, uint64_t align,
                            uint64_t limit, gfp_t flags)
{
    bool plenty = spares_reserve(m, n);
    if (!plenty && limit > m->direct_end)
        return alloc_between(m, n, align, m->direct_end, limit);
    if (!plenty && !(flags & __GFP_RESERVE))
        return 0;
    paddr_t pa = alloc_between(m, n, align, 0, limit);
    m->stats.reserve_used += pa && !plenty;
    return pa;
}

static paddr_t try(struct frames *m, size_t n, uint64_t align, uint64_t limit,
                   gfp_t flags)
{
    lock_acquire(&m->lock);
    paddr_t pa = alloc_locked(m, n, align, limit, flags);
    lock_release(&m->lock);
    return pa;
}

static const char *refuse(const struct frames *m, size_t n, gfp_t flags)
{
    if ((flags & __GFP_NOFAIL) && !(flags & __GFP_WAIT))
        return "__GFP_NOFAIL without __GFP_WAIT";
    if ((flags & __GFP_NOFAIL) && in_interrupt())
        return "__GFP_NOFAIL in an interrupt";
    if ((flags & __GFP_NOFAIL) && n > m->stats.total)
        return "__GFP_NOFAIL for more than there is";
    return NULL;
}

/* With the shrinkers' help, if the caller can wait for it. */
static paddr_t alloc_slowly(struct frames *m, size_t n, uint64_t align,
                            uint64_t limit, gfp_t flags)
{
    paddr_t pa = try(m, n, align, limit, flags);
    if (pa || !(flags & __GFP_WAIT) || in_interrupt())
        return pa;
    for (;;) {
        size_t given_back = frames_reclaim(m);
        pa = try(m, n, align, limit, flags);
        bool again = (flags & __GFP_NOFAIL) ||
                     (given_back > 0 && !(flags & __GFP_NORETRY));
        if (pa || !again)
            return pa;
        let_others_run();
    }
}

paddr_t frames_alloc_gfp(struct frames *m, size_t n, uint64_t align,
                         uint64_t limit, gfp_t flags)
{
    assert(!(flags & ~__GFP_ALL));
    limit = narrow(m, limit, flags);
    if (is_plain(m, n, align, limit) && !(flags & (__GFP_DMA | __GFP_NOFAIL))) {
        paddr_t pa = cache_pop(m);
        if (pa || (cache_refill(m) && (pa = cache_pop(m))))
            return pa;
    }
    const char *refused = refuse(m, n, flags);
    if (refused) {
        report(CALLER, "frames: %zu frames: %s", n, refused);
        return 0;
    }
    return alloc_slowly(m, n, align, limit, flags);
}
