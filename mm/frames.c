/* RAM is a few banks, separated by holes. Each bank has a manager of what is
 * free in it (frames_free.h), most often a bitmap with its derived sets
 * (freemap.c), and four bytes a frame that say whose it is. The manager
 * decides; the frame entries explain, and let a wrong free be refused: a double
 * one, one of a part of a run, one of a frame that was never handed out.
 *
 * A bank never crosses dma_limit or direct_end, so such a limit is a choice of
 * banks. Allocation takes the highest bank that the limit allows, to keep low
 * memory, which everyone can use, for those who need it.
 *
 * Single frames mostly do not come here at all: frames_cache.c. The entry of an
 * allocated frame belongs to its owner, so labels need no lock.
 *
 * Cost: 4 bytes for each 4 KiB frame, and with the bitmap a little more than a
 * bit. */
#include "mm/frames_cache.h"

#include <oct/assert.h>
#include <oct/errno.h>
#include <oct/report.h>
#include <oct/string.h>

#define JUNK_NEW 0xa5
#define JUNK_FREED 0x5a

static void fill(const struct bank *b, size_t unit, size_t n, int byte)
{
    if (b->owner->junk && is_direct(b))
        memset(frames_view(b->owner, address_of(b, unit)), byte,
               n << PAGE_SHIFT);
}

static void set_entries(const struct bank *b, size_t unit, size_t n,
                        struct frame to)
{
    struct frame *entry = &b->frame[unit];
    for (struct frame *end = entry + n; entry < end; entry++)
        frame_set(entry, to);
}

/* --- handing out --- */

static bool fail_now(struct frames *m)
{
    assert(lock_held(&m->lock));
    if (m->fail_after > 0)
        m->fail_after--;
    else if (m->fail_after == 0)
        return true;
    return false;
}

static paddr_t hand_out(struct bank *b, size_t unit, size_t n)
{
    struct frame part = FRAME_ALLOCATED;
    part.more = 1;
    bank_lost(b, n);
    set_entries(b, unit, n - 1, part);
    frame_set(&b->frame[unit + n - 1], FRAME_ALLOCATED);
    fill(b, unit, n, JUNK_NEW);
    return address_of(b, unit);
}

static paddr_t alloc_from(struct bank *b, size_t n, uint64_t align,
                          uint64_t limit)
{
    assert(lock_held(&b->owner->lock));
    if (limit <= b->base || n > b->free)
        return 0;
    uint64_t end = (limit - b->base) >> PAGE_SHIFT;
    size_t unit = b->manager->take(b, n, (size_t)(align >> PAGE_SHIFT),
                                   end < b->units ? (size_t)end : b->units);
    return unit == FREEMAP_NONE ? 0 : hand_out(b, unit, n);
}

static paddr_t alloc_somewhere(struct frames *m, size_t n, uint64_t align,
                               paddr_t lowest, uint64_t limit)
{
    paddr_t pa = 0;
    for (size_t i = m->bank_count; i-- > 0 && !pa;)
        if (m->banks[i].base >= lowest)
            pa = alloc_from(&m->banks[i], n, align, limit);
    return pa;
}

paddr_t alloc_between(struct frames *m, size_t n, uint64_t align,
                      paddr_t lowest, uint64_t limit)
{
    assert(is_power_of_two(align) && align >= PAGE_SIZE);
    if (n == 0 || align >> PAGE_SHIFT > (size_t)-1 || fail_now(m))
        return 0;
    paddr_t pa = alloc_somewhere(m, n, align, lowest, limit);
    if (!pa && cache_drain(m, arch_cpu_id()))
        pa = alloc_somewhere(m, n, align, lowest, limit);
    return pa;
}

static paddr_t alloc_run(struct frames *m, size_t n, uint64_t align,
                         uint64_t limit)
{
    lock_acquire(&m->lock);
    paddr_t pa = alloc_between(m, n, align, 0, limit);
    lock_release(&m->lock);
    return pa;
}

/* None at hand: the manager gives some, or this one. */
__attribute__((noinline)) static paddr_t alloc_one(struct frames *m)
{
    paddr_t pa = 0;
    while (!pa && cache_refill(m))
        pa = cache_pop(m);
    return pa ? pa : alloc_run(m, 1, PAGE_SIZE, m->direct_end);
}

paddr_t frames_alloc(struct frames *m)
{
    paddr_t pa = cache_pop(m);
    return pa ? pa : alloc_one(m);
}

paddr_t frames_alloc_run(struct frames *m, size_t n, uint64_t align,
                         uint64_t limit)
{
    if (is_plain(m, n, align, limit))
        return frames_alloc(m);
    return alloc_run(m, n, align, limit);
}

/* The bank that holds all n frames at pa, or NULL. */
static struct bank *bank_of_run(const struct frames *m, paddr_t pa, size_t n)
{
    struct bank *b = is_aligned(pa, PAGE_SIZE) ? bank_of(m, pa) : NULL;
    return b && n > 0 && n <= b->units - unit_of(b, pa) ? b : NULL;
}

static bool take_at(struct bank *b, size_t unit, size_t n)
{
    struct frames *m = b->owner;
    return !fail_now(m) &&
           (b->manager->take_at(b, unit, n) ||
            (cache_drain(m, arch_cpu_id()) && b->manager->take_at(b, unit, n)));
}

int frames_alloc_at(struct frames *m, paddr_t pa, size_t n)
{
    struct bank *b = bank_of_run(m, pa, n);
    if (!b)
        return -EINVAL;
    lock_acquire(&m->lock);
    bool took = take_at(b, unit_of(b, pa), n);
    if (took)
        hand_out(b, unit_of(b, pa), n);
    lock_release(&m->lock);
    return took ? 0 : -EBUSY;
}

/* --- taking back --- */

/* The frame before it is of the same run. */
static bool is_inside_run(const struct bank *b, size_t unit)
{
    return unit > 0 && frame_get(&b->frame[unit - 1]).more;
}

/* Frames of the run that begins there; n + 1 if these are more than n. */
static size_t run_length(const struct frame *entry, size_t n)
{
    size_t length = 1;
    while (length <= n && frame_get(entry++).more)
        length++;
    return length;
}

/* Why the n frames at pa cannot be freed; NULL if they can. */
static const char *refuse_free(const struct bank *b, paddr_t pa, size_t n)
{
    if (!is_aligned(pa, PAGE_SIZE) || n == 0)
        return "not whole frames";
    if (!b)
        return "no RAM there";
    const struct frame *entry = &b->frame[unit_of(b, pa)];
    struct frame f = frame_get(entry);
    if (f.kind == FRAME_FREE)
        return "free already";
    if (!is_owned(&f))
        return "never handed out";
    if (is_inside_run(b, unit_of(b, pa)))
        return "inside a run";
    if (run_length(entry, n) != n)
        return "not the length that was allocated";
    if (!has_place(&f) && f.value != FRAME_ONE)
        return "shared";
    return NULL;
}

static void put_back(struct bank *b, size_t unit, size_t n)
{
    assert(lock_held(&b->owner->lock));
    fill(b, unit, n, JUNK_FREED);
    set_entries(b, unit, n, FRAME_NOBODYS);
    b->manager->give(b, unit, n);
    bank_won(b, n);
}

static const char *free_locked(struct frames *m, paddr_t pa, size_t n)
{
    struct bank *b = bank_of_run(m, pa, n);
    lock_acquire(&m->lock);
    const char *refused = refuse_free(b, pa, n);
    if (!refused)
        put_back(b, unit_of(b, pa), n);
    lock_release(&m->lock);
    return refused;
}

/* No room at hand, or not one good frame: room is made, or the manager has to
 * take it back, or a report is due. */
__attribute__((noinline)) static int free_slowly(struct frames *m, paddr_t pa,
                                                 size_t n, vaddr_t caller)
{
    if (n == 1 && is_good_at_hand(m, pa) && cache_flush(m) && cache_push(m, pa))
        return 0;
    const char *refused = free_locked(m, pa, n);
    if (!refused)
        return 0;
    report(caller, "frames: free of %zu frames at 0x%llx refused: %s", n, pa,
           refused);
    return -EINVAL;
}

int frames_free(struct frames *m, paddr_t pa, size_t n)
{
    if (n == 1 && cache_push(m, pa))
        return 0;
    return free_slowly(m, pa, n, CALLER);
}

/* --- shared frames --- */

/* The entry of a frame that may be shared: allocated, alone, not the heap's. */
static struct frame *shareable(const struct bank *b, paddr_t pa)
{
    if (!b)
        return NULL;
    struct frame *entry = &b->frame[unit_of(b, pa)], f = frame_get(entry);
    bool in_run = f.more || is_inside_run(b, unit_of(b, pa));
    return is_owned(&f) && !has_place(&f) && !in_run ? entry : NULL;
}

/* One owner more, or one less; the last one's frame is taken back. Returns the
 * owners left. */
static int add_owner(struct bank *b, paddr_t pa, int more)
{
    assert(lock_held(&b->owner->lock));
    struct frame *entry = shareable(b, pa);
    if (!entry)
        return -EINVAL;
    struct frame f = frame_get(entry);
    if (more > 0 && f.value == FRAME_VALUE_MAX)
        return -ERANGE;
    f.value += (uint32_t)more;
    frame_set(entry, f);
    if (f.value == 0)
        put_back(b, unit_of(b, pa), 1);
    return (int)f.value;
}

static int change_owners(struct frames *m, paddr_t pa, int more)
{
    struct bank *b = bank_of_run(m, pa, 1);
    lock_acquire(&m->lock);
    int owners = b ? add_owner(b, pa, more) : -EINVAL;
    lock_release(&m->lock);
    return owners;
}

int frames_ref(struct frames *m, paddr_t pa)
{
    return change_owners(m, pa, 1);
}

/* If there is one owner, it is the caller, and nobody can come in between. */
int frames_unref(struct frames *m, paddr_t pa)
{
    if (frames_refs(m, pa) == 1)
        return frames_free(m, pa, 1);
    int owners = change_owners(m, pa, -1);
    if (owners < 0)
        report(CALLER, "frames: unref of 0x%llx refused: not a shared frame",
               pa);
    return owners;
}

int frames_refs(struct frames *m, paddr_t pa)
{
    const struct frame *f = shareable(bank_of_run(m, pa, 1), pa);
    return f ? (int)frame_get(f).value : -EINVAL;
}
