/* The quarantine: freed objects, oldest first out. That a freed object is not
 * reused at once is what makes its misuse visible. The row of them is a frame
 * of its own, not linked through the objects: they are what may be written. The
 * frame is there only while objects are. */
#include "mm/kdebug_parts.h"
#include "mm/pmm.h"

#include <oct/assert.h>
#include <oct/kview.h>

#define PLACES (PAGE_SIZE / sizeof(const void *))

static struct {
    const void **ring; /* PLACES of them, or NULL */
    size_t first, count;
    size_t bytes; /* that these have, records included */
} quarantine;     /* guarded by kdebug.lock */

static size_t room_of(const void *p)
{
    return kheap->ops->find(kheap, p).size;
}

static const void *pop(size_t most_count, size_t most_bytes)
{
    const void *p = NULL;
    lock_acquire(&kdebug.lock);
    if (quarantine.count > most_count ||
        (quarantine.count && quarantine.bytes > most_bytes)) {
        p = quarantine.ring[quarantine.first];
        quarantine.first = (quarantine.first + 1) % PLACES;
        quarantine.count--;
        size_t room = room_of(p);
        assert(room > 0 && room <= quarantine.bytes);
        quarantine.bytes -= room;
    }
    lock_release(&kdebug.lock);
    return p;
}

static void let_go(const void *p)
{
    lock_acquire(&kdebug.lock);
    if (record_report(p, room_of(p), "quarantine", 0))
        kdebug.damaged++;
    lock_release(&kdebug.lock);
    const char *refused = kheap->ops->free(kheap, p);
    assert(!refused);
}

static void shrink_to(size_t count, size_t bytes)
{
    const void *p;
    while ((p = pop(count, bytes)))
        let_go(p);
}

/* Another may have brought one meanwhile: then there is one too many. */
static bool have_ring(void)
{
    if (quarantine.ring)
        return true;
    paddr_t pa = pmm_alloc();
    if (!pa)
        return false;
    lock_acquire(&kdebug.lock);
    bool first = !quarantine.ring;
    if (first)
        quarantine.ring = phys_to_virt(pa);
    lock_release(&kdebug.lock);
    return first || pmm_free(pa) == 0;
}

bool quarantine_push(const void *p, size_t room)
{
    if (room > KDEBUG_BUDGET || !have_ring())
        return false;
    shrink_to(PLACES - 1, KDEBUG_BUDGET - room);
    lock_acquire(&kdebug.lock);
    bool kept = quarantine.ring && quarantine.count < PLACES;
    if (kept) {
        size_t last = (quarantine.first + quarantine.count++) % PLACES;
        quarantine.ring[last] = p;
        quarantine.bytes += room;
    }
    lock_release(&kdebug.lock);
    return kept;
}

bool quarantine_holds(const void *p)
{
    assert(lock_held(&kdebug.lock) && quarantine.count <= PLACES);
    for (size_t i = 0; i < quarantine.count; i++)
        if (quarantine.ring[(quarantine.first + i) % PLACES] == p)
            return true;
    return false;
}

static void drop_ring(void)
{
    const void *ring = NULL;
    lock_acquire(&kdebug.lock);
    if (quarantine.count == 0) {
        ring = quarantine.ring;
        quarantine.ring = NULL;
    }
    lock_release(&kdebug.lock);
    int error = ring ? pmm_free(virt_to_phys(ring)) : 0;
    assert(!error);
}

size_t kdebug_drain(void)
{
    struct frames_stats before, after;
    pmm_stats(&before);
    shrink_to(0, 0);
    drop_ring();
    pmm_stats(&after);
    return after.free > before.free ? after.free - before.free : 0;
}

void kdebug_stats(struct kdebug_stats *out)
{
    lock_acquire(&kdebug.lock);
    *out = (struct kdebug_stats){
        .sequence = kdebug.sequence,
        .damaged = kdebug.damaged,
        .quarantined = quarantine.count,
        .quarantined_bytes = quarantine.bytes,
        .others = kdebug.others.count,
    };
    lock_release(&kdebug.lock);
}
