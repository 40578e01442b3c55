/* RAM is a few banks, separated by holes. Each bank has a bitmap with its
 * derived counts (freemap.c) that says which frames are free, and four bytes a
 * frame that say whose it is. The bitmap decides; the frame entries explain,
 * and let a wrong free be refused: a double one, one of a part of a run, one of
 * a frame that was never handed out.
 *
 * A bank never crosses DMA_LIMIT or DIRECT_END, so such a limit is a choice of
 * banks. Allocation takes the highest bank that the limit allows, to keep low
 * memory, which everyone can use, for those who need it.
 *
 * Cost: 4 bytes for each 4 KiB frame, and with the bitmap a little more than a
 * bit.
 */
#include "mm/pmm_banks.h"

#include <oct/assert.h>
#include <oct/errno.h>
#include <oct/kview.h>
#include <oct/report.h>
#include <oct/string.h>

#define JUNK_NEW 0xa5
#define JUNK_FREED 0x5a

static void fill(const struct bank *b, size_t unit, size_t n, int byte)
{
    if (pmm.junk && b->base < DIRECT_END)
        memset(phys_to_virt(address_of(b, unit)), byte, n << PAGE_SHIFT);
}

/* --- handing out --- */

static bool fail_now(void)
{
    if (pmm.fail_after > 0)
        pmm.fail_after--;
    else if (pmm.fail_after == 0)
        return true;
    return false;
}

static paddr_t hand_out(struct bank *b, size_t unit, size_t n)
{
    assert(lock_held(&pmm.lock) && b->free >= n);
    b->free -= n;
    for (size_t i = 0; i < n; i++) {
        struct frame *f = &b->frame[unit + i];
        set_kind(f, FRAME_KERNEL);
        f->more = i + 1 < n;
        f->value = FRAME_ONE;
    }
    fill(b, unit, n, JUNK_NEW);
    return address_of(b, unit);
}

static paddr_t alloc_from(struct bank *b, size_t n, uint64_t align,
                          uint64_t limit)
{
    assert(lock_held(&pmm.lock));
    if (limit <= b->base)
        return 0;
    uint64_t end = (limit - b->base) >> PAGE_SHIFT;
    size_t unit = b->manager->take(b, n, (size_t)(align >> PAGE_SHIFT),
                                   end < b->units ? (size_t)end : b->units);
    return unit == FREEMAP_NONE ? 0 : hand_out(b, unit, n);
}

paddr_t alloc_between(size_t n, uint64_t align, paddr_t lowest, uint64_t limit)
{
    assert(is_power_of_two(align) && align >= PAGE_SIZE);
    paddr_t pa = 0;
    if (n == 0 || align >> PAGE_SHIFT > (size_t)-1)
        return 0;
    lock_acquire(&pmm.lock);
    if (!fail_now())
        for (size_t i = pmm.bank_count; i-- > 0 && !pa;)
            if (pmm.banks[i].base >= lowest)
                pa = alloc_from(&pmm.banks[i], n, align, limit);
    lock_release(&pmm.lock);
    return pa;
}

paddr_t pmm_alloc_run(size_t n, uint64_t align, uint64_t limit)
{
    return alloc_between(n, align, 0, limit);
}

paddr_t pmm_allocs(size_t n)
{
    return pmm_alloc_run(n, PAGE_SIZE, DIRECT_END);
}

paddr_t pmm_alloc(void)
{
    return pmm_allocs(1);
}

/* The bank that holds all n frames at pa, or NULL. */
static struct bank *bank_of_run(paddr_t pa, size_t n)
{
    struct bank *b = is_aligned(pa, PAGE_SIZE) ? bank_of(pa) : NULL;
    return b && n > 0 && n <= b->units - unit_of(b, pa) ? b : NULL;
}

int pmm_alloc_at(paddr_t pa, size_t n)
{
    int error = -EINVAL;
    lock_acquire(&pmm.lock);
    struct bank *b = bank_of_run(pa, n);
    if (b) {
        size_t unit = unit_of(b, pa);
        error = -EBUSY;
        if (!fail_now() && b->manager->take_at(b, unit, n)) {
            hand_out(b, unit, n);
            error = 0;
        }
    }
    lock_release(&pmm.lock);
    return error;
}

/* --- taking back --- */

/* Why the n frames at pa cannot be freed; NULL if they can. */
static const char *refuse_free(const struct bank *b, paddr_t pa, size_t n)
{
    if (!is_aligned(pa, PAGE_SIZE) || n == 0)
        return "not whole frames";
    if (!b)
        return "no RAM there";
    const struct frame *f = &b->frame[unit_of(b, pa)];
    if (f->kind == FRAME_FREE)
        return "free already";
    if (!is_owned(f))
        return "never handed out";
    if (unit_of(b, pa) > 0 && f[-1].more)
        return "inside a run";
    for (size_t i = 0; i < n; i++)
        if (f[i].more != (i + 1 < n))
            return "not the length that was allocated";
    if (!has_place(f) && f->value != FRAME_ONE)
        return "shared";
    return NULL;
}

static void put_back(struct bank *b, size_t unit, size_t n)
{
    assert(lock_held(&pmm.lock));
    fill(b, unit, n, JUNK_FREED);
    for (size_t i = 0; i < n; i++) {
        set_kind(&b->frame[unit + i], FRAME_FREE);
        b->frame[unit + i].more = 0;
        b->frame[unit + i].value = 0;
    }
    b->manager->give(b, unit, n);
    b->free += n;
}

static int frees(paddr_t pa, size_t n, vaddr_t caller)
{
    lock_acquire(&pmm.lock);
    struct bank *b = bank_of_run(pa, n);
    const char *refused = refuse_free(b, pa, n);
    if (!refused)
        put_back(b, unit_of(b, pa), n);
    lock_release(&pmm.lock);
    if (!refused)
        return 0;
    report(caller, "pmm: free of %zu frames at 0x%llx refused: %s", n, pa,
           refused);
    return -EINVAL;
}

int pmm_frees(paddr_t pa, size_t n)
{
    return frees(pa, n, CALLER);
}

int pmm_free(paddr_t pa)
{
    return frees(pa, 1, CALLER);
}

/* --- shared frames --- */

/* The entry of a frame that may be shared: allocated, alone, not the heap's. */
static struct frame *shareable(paddr_t pa)
{
    assert(lock_held(&pmm.lock));
    struct bank *b = bank_of_run(pa, 1);
    if (!b)
        return NULL;
    struct frame *f = &b->frame[unit_of(b, pa)];
    bool in_run = f->more || (unit_of(b, pa) > 0 && f[-1].more);
    return is_owned(f) && !has_place(f) && !in_run ? f : NULL;
}

int pmm_ref(paddr_t pa)
{
    int owners = -EINVAL;
    lock_acquire(&pmm.lock);
    struct frame *f = shareable(pa);
    if (f)
        owners = f->value < VALUE_MAX ? (int)++f->value : -ERANGE;
    lock_release(&pmm.lock);
    return owners;
}

int pmm_unref(paddr_t pa)
{
    int owners = -EINVAL;
    lock_acquire(&pmm.lock);
    struct frame *f = shareable(pa);
    if (f) {
        owners = (int)--f->value;
        if (owners == 0)
            put_back(bank_of(pa), unit_of(bank_of(pa), pa), 1);
    }
    lock_release(&pmm.lock);
    if (owners < 0)
        report(CALLER, "pmm: unref of 0x%llx refused: not a shared frame", pa);
    return owners;
}

int pmm_refs(paddr_t pa)
{
    lock_acquire(&pmm.lock);
    struct frame *f = shareable(pa);
    int owners = f ? (int)f->value : -EINVAL;
    lock_release(&pmm.lock);
    return owners;
}
