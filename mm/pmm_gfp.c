/* Who may have a frame when there are few. A small reserve of the direct map is
 * kept for those who cannot wait, such as interrupt handlers; the rest are told
 * no while there are still frames, but not before everybody who keeps frames
 * only to be fast has been asked to give them back.
 */
#include "mm/pmm_banks.h"

#include <arch/layout.h>
#include <oct/assert.h>
#include <oct/context.h>
#include <oct/report.h>

static struct list shrinkers = LIST_INIT(shrinkers); /* only ever grows */

void pmm_add_shrinker(struct shrinker *s)
{
    assert(s->shrink && s->name);
    lock_acquire(&pmm.lock);
    list_append(&shrinkers, &s->link);
    lock_release(&pmm.lock);
}

void pmm_visit_shrinkers(void (*visit)(void *context, const struct shrinker *),
                         void *context)
{
    list_for_each (link, &shrinkers)
        visit(context, container_of(link, struct shrinker, link));
}

/* Would n frames of the direct map leave the reserve alone? */
static bool spares_reserve(size_t n)
{
    size_t free = 0;
    lock_acquire(&pmm.lock);
    for (struct bank *b = pmm.banks; b < pmm.banks + pmm.bank_count; b++)
        free += b->base < DIRECT_END ? b->free : 0;
    lock_release(&pmm.lock);
    return free >= pmm.stats.reserve && free - pmm.stats.reserve >= n;
}

static void count(size_t *counter)
{
    lock_acquire(&pmm.lock);
    ++*counter;
    lock_release(&pmm.lock);
}

size_t pmm_reclaim(void)
{
    size_t total = 0;
    count(&pmm.stats.reclaims);
    list_for_each (link, &shrinkers) {
        struct shrinker *s = container_of(link, struct shrinker, link);
        size_t given_back = s->shrink();
        s->calls++;
        s->given_back += given_back;
        total += given_back;
    }
    return total;
}

static uint64_t narrow(uint64_t limit, gfp_t flags)
{
    if (flags & __GFP_DMA)
        return limit < DMA_LIMIT ? limit : DMA_LIMIT;
    return (flags & __GFP_HIGH) || limit < DIRECT_END ? limit : DIRECT_END;
}

/* High frames have no reserve; below DIRECT_END it is for those who may. */
static paddr_t try(size_t n, uint64_t align, uint64_t limit, gfp_t flags)
{
    bool plenty = spares_reserve(n);
    if (!plenty && limit > DIRECT_END)
        return alloc_between(n, align, DIRECT_END, limit);
    if (!plenty && !(flags & __GFP_RESERVE))
        return 0;
    paddr_t pa = pmm_alloc_run(n, align, limit);
    if (pa && !plenty)
        count(&pmm.stats.reserve_used);
    return pa;
}

static const char *refuse(size_t n, gfp_t flags)
{
    if ((flags & __GFP_NOFAIL) && !(flags & __GFP_WAIT))
        return "__GFP_NOFAIL without __GFP_WAIT";
    if ((flags & __GFP_NOFAIL) && in_interrupt())
        return "__GFP_NOFAIL in an interrupt";
    if ((flags & __GFP_NOFAIL) && n > pmm.stats.total)
        return "__GFP_NOFAIL for more than there is";
    return NULL;
}

paddr_t pmm_alloc_gfp(size_t n, uint64_t align, uint64_t limit, gfp_t flags)
{
    assert(!(flags & ~__GFP_ALL));
    const char *refused = refuse(n, flags);
    if (refused) {
        report(CALLER, "pmm: %zu frames: %s", n, refused);
        return 0;
    }
    limit = narrow(limit, flags);
    paddr_t pa = try(n, align, limit, flags);
    if (pa || !(flags & __GFP_WAIT) || in_interrupt())
        return pa;
    for (;;) {
        size_t given_back = pmm_reclaim();
        pa = try(n, align, limit, flags);
        bool again = (flags & __GFP_NOFAIL) ||
                     (given_back > 0 && !(flags & __GFP_NORETRY));
        if (pa || !again)
            return pa;
        let_others_run();
    }
}
