/* Objects with and without a record, side by side: when debugging is switched
 * while objects live, those are the exceptions, and this is the set of them. It
 * only ever shrinks, so what is removed leaves a mark, and nothing moves. It
 * lies in frames of its own, since it is about the heap. */
#include "mm/kdebug_parts.h"
#include "mm/pmm.h"

#include <oct/assert.h>
#include <oct/errno.h>
#include <oct/kview.h>
#include <oct/string.h>

#define EMPTY ((uintptr_t)0)
#define REMOVED ((uintptr_t)1)

static size_t frames_of(const struct exceptions *e)
{
    return (e->slots * sizeof(*e->slot) + PAGE_SIZE - 1) / PAGE_SIZE;
}

int exceptions_init(struct exceptions *e, size_t n)
{
    *e = (struct exceptions){0};
    if (n == 0)
        return 0;
    for (e->slots = 64; e->slots < 2 * n;)
        e->slots *= 2;
    paddr_t pa = pmm_allocs(frames_of(e));
    if (!pa)
        return -ENOMEM;
    e->slot = phys_to_virt(pa);
    memset(e->slot, 0, e->slots * sizeof(*e->slot));
    return 0;
}

void exceptions_destroy(struct exceptions *e)
{
    int error = e->slot ? pmm_frees(virt_to_phys(e->slot), frames_of(e)) : 0;
    assert(!error);
    *e = (struct exceptions){0};
}

/* The slot that has p, or the empty one where the search for it ends: at least
 * half of them are empty. */
static uintptr_t *slot_for(const struct exceptions *e, const void *p)
{
    size_t i = (uintptr_t)p / 32 * (size_t)2654435761u;
    assert(is_power_of_two(e->slots) && (uintptr_t)p > REMOVED);
    while (e->slot[i & (e->slots - 1)] != EMPTY &&
           e->slot[i & (e->slots - 1)] != (uintptr_t)p)
        i++;
    return &e->slot[i & (e->slots - 1)];
}

void exceptions_add(struct exceptions *e, const void *p)
{
    uintptr_t *slot = slot_for(e, p);
    assert(*slot == EMPTY && 2 * e->count < e->slots);
    *slot = (uintptr_t)p;
    e->count++;
}

bool exceptions_have(const struct exceptions *e, const void *p)
{
    return e->count > 0 && *slot_for(e, p) != EMPTY;
}

void exceptions_remove(struct exceptions *e, const void *p)
{
    assert(exceptions_have(e, p));
    *slot_for(e, p) = REMOVED;
    if (--e->count == 0)
        exceptions_destroy(e);
}
