/* Between kmalloc and the heap. What the heap gives is larger than what was
 * asked for by a red zone and a record, which lie at its end: so objects begin
 * where the heap's begin, and all the heap says of them stays true. */
#include "mm/kdebug_parts.h"
#include "mm/pmm.h"

#include <oct/assert.h>
#include <oct/errno.h>
#include <oct/report.h>
#include <oct/string.h>

struct kdebug kdebug;
bool kdebug_active;

static bool wants_alignment(size_t size)
{
    return is_power_of_two(size) && size > KDEBUG_ALIGN && size <= PAGE_SIZE;
}

/* The heap aligns powers of two to their size, and all those larger than a page
 * to a page. */
static size_t padded(size_t size)
{
    if (wants_alignment(size))
        return 2 * size;
    return (size_t)round_up(size + ZONE_MIN, sizeof(vaddr_t)) +
           sizeof(struct record);
}

/* --- allocating --- */

static void dress_new(void *p, size_t size, unsigned flags, vaddr_t caller)
{
    struct record r = {.size = size, .flags = (uint16_t)flags};
    assert(!wants_alignment(size) || is_aligned((uintptr_t)p, size));
    if (flags & KDEBUG_OWNER)
        r.allocated_by = caller;
    if (flags & KDEBUG_POISON)
        memset(p, KDEBUG_FRESH, size);
    lock_acquire(&kdebug.lock);
    r.sequence = ++kdebug.sequence;
    record_dress(p, kheap->ops->find(kheap, p).size, &r);
    lock_release(&kdebug.lock);
}

void *kdebug_alloc(size_t size, gfp_t flags, vaddr_t caller)
{
    assert(size <= HEAP_SIZE_MAX);
    unsigned wanted = kdebug.flags;
    size_t room = wanted ? padded(size) : size;
    void *p =
        room <= HEAP_SIZE_MAX ? kheap->ops->alloc(kheap, room, flags) : NULL;
    if (p && wanted)
        dress_new(p, size, wanted, caller);
    return p;
}

/* --- freeing --- */

/* Reports damage, and mends it, so that it is reported once. */
static void examine(void *p, size_t room, const char *who, vaddr_t caller)
{
    struct record *r = record_of(p, room), made_up = {0};
    assert(lock_held(&kdebug.lock));
    if (!record_report(p, room, who, caller))
        return;
    kdebug.damaged++;
    record_dress(p, room, record_holds(r) ? r : &made_up);
}

/* Only a record that agrees with itself can say so. */
static bool is_quarantined(const void *p, size_t room)
{
    const struct record *r = record_of(p, room);
    return record_holds(r) ? r->freed : quarantine_holds(p);
}

static void report_double(const void *p, size_t room)
{
    const struct record *r = record_of(p, room);
    report(0, "double free: %p (%zu bytes)", p, r->size);
    report(r->allocated_by, "  object %lu, allocated", r->sequence);
    report(r->freed_by, "  and freed");
}

/* Under the lock, so that of two who free the same only one does. */
static bool mark_freed(void *p, size_t room, vaddr_t caller)
{
    lock_acquire(&kdebug.lock);
    struct record *r = record_of(p, room);
    bool again = is_quarantined(p, room);
    if (!again) {
        examine(p, room, "kfree", caller);
        r->freed = true;
        r->freed_by = caller;
        record_seal(r);
    }
    lock_release(&kdebug.lock);
    return !again;
}

static const char *free_recorded(void *p, size_t room, vaddr_t caller)
{
    if (!mark_freed(p, room, caller)) {
        report_double(p, room);
        return "free already";
    }
    const struct record *r = record_of(p, room);
    if (r->flags & KDEBUG_POISON)
        memset(p, KDEBUG_FREED, r->size);
    if ((r->flags & KDEBUG_QUARANTINE) && quarantine_push(p, room))
        return NULL;
    return kheap->ops->free(kheap, p);
}

static void update_active(void)
{
    kdebug_active = kdebug.flags || kdebug.others.count;
}

/* An object without a record leaves the list before its address can be used
 * again. */
static bool forget_plain(const void *p)
{
    lock_acquire(&kdebug.lock);
    bool plain = !kdebug_is_recorded(p);
    if (plain && exceptions_have(&kdebug.others, p)) {
        exceptions_remove(&kdebug.others, p);
        update_active();
    }
    lock_release(&kdebug.lock);
    return plain;
}

const char *kdebug_free(const void *p, vaddr_t caller)
{
    struct heap_object o = kheap->ops->find(kheap, p);
    if (o.refused)
        return o.refused;
    if (forget_plain(p))
        return kheap->ops->free(kheap, p);
    return free_recorded((void *)(uintptr_t)p, o.size, caller);
}

/* --- finding and resizing --- */

struct heap_object kdebug_find(const void *p)
{
    struct heap_object o = kheap->ops->find(kheap, p);
    if (o.refused)
        return o;
    lock_acquire(&kdebug.lock);
    const struct record *r = record_of(p, o.size);
    if (kdebug_is_recorded(p) && is_quarantined(p, o.size))
        o = (struct heap_object){.refused = "free already"};
    else if (kdebug_is_recorded(p))
        o.size = record_holds(r) ? r->size : o.size - sizeof(*r);
    lock_release(&kdebug.lock);
    return o;
}

/* To `size` bytes, if it has the room and lies as that size must. */
static bool resize_recorded(void *p, size_t room, size_t size, vaddr_t caller)
{
    struct record r = *record_of(p, room);
    assert(lock_held(&kdebug.lock) && !r.freed);
    if (size + ZONE_MIN + sizeof(r) > room ||
        (wants_alignment(size) && !is_aligned((uintptr_t)p, size)))
        return false;
    if ((r.flags & KDEBUG_POISON) && size > r.size)
        memset((char *)p + r.size, KDEBUG_FRESH, size - r.size);
    r.size = size;
    if (r.flags & KDEBUG_OWNER)
        r.allocated_by = caller;
    record_dress(p, room, &r);
    return true;
}

bool kdebug_resize(void *p, size_t size, vaddr_t caller)
{
    bool done = false;
    lock_acquire(&kdebug.lock);
    bool recorded = kdebug_is_recorded(p);
    if (recorded) {
        size_t room = kheap->ops->find(kheap, p).size;
        examine(p, room, "krealloc", caller);
        done = resize_recorded(p, room, size, caller);
    }
    lock_release(&kdebug.lock);
    return recorded ? done : kheap->ops->resize(kheap, p, size);
}

/* --- switching --- */

/* The heap's shrinker has run by now, and what it is given here it may keep at
 * hand. */
static size_t free_for_memory(struct shrinker *s)
{
    (void)s;
    size_t frames = kdebug_drain();
    return frames + kheap->ops->trim(kheap);
}

void kdebug_init(void)
{
    static struct shrinker shrinker = {.name = "quarantine",
                                       .shrink = free_for_memory};
    assert(!kdebug.started);
    kdebug.started = true;
    pmm_add_shrinker(&shrinker);
}

/* While the present kind is still the old one. */
struct choice {
    bool records;           /* of the new kind */
    size_t count;           /* objects that are not */
    struct exceptions *set; /* where to put them, or NULL */
};

static void choose(void *context, void *p, size_t room)
{
    struct choice *c = context;
    (void)room;
    if (kdebug_is_recorded(p) == c->records)
        return;
    c->count++;
    if (c->set)
        exceptions_add(c->set, p);
}

static int switch_locked(unsigned flags)
{
    assert(lock_held(&kdebug.lock));
    struct choice count = {.records = flags != 0};
    struct exceptions others;
    kheap->ops->each(kheap, choose, &count);
    if (exceptions_init(&others, count.count))
        return -ENOMEM;
    struct choice fill = {.records = flags != 0, .set = &others};
    kheap->ops->each(kheap, choose, &fill);
    assert(fill.count == count.count);
    exceptions_destroy(&kdebug.others);
    kdebug.others = others;
    kdebug.flags = flags;
    return 0;
}

int kdebug_set(unsigned flags)
{
    int error = 0;
    assert(!(flags & ~KDEBUG_ALL));
    kdebug_drain();
    lock_acquire(&kdebug.lock);
    if (kdebug.started)
        error = switch_locked(flags);
    else
        kdebug.flags = flags;
    update_active();
    lock_release(&kdebug.lock);
    return error;
}

unsigned kdebug_flags(void)
{
    return kdebug.flags;
}
