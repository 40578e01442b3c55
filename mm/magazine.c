/* Depots, and what a rack does when its loaded magazine does not serve. */
#include "mm/magazine.h"

#include <oct/assert.h>

struct magazine no_magazine;

static struct magazine *take(struct magazine **list)
{
    struct magazine *m = *list;
    if (m)
        *list = m->next;
    return m;
}

static void give(struct magazine **list, struct magazine *m)
{
    assert(m != &no_magazine);
    m->next = *list;
    *list = m;
}

struct magazine *depot_take_full(struct depot *d)
{
    lock_acquire(&d->lock);
    struct magazine *m = take(&d->full);
    d->fulls -= m != NULL;
    lock_release(&d->lock);
    return m;
}

struct magazine *depot_take_empty(struct depot *d)
{
    lock_acquire(&d->lock);
    struct magazine *m = take(&d->empty);
    lock_release(&d->lock);
    return m;
}

void depot_give(struct depot *d, struct magazine *m)
{
    bool full = m->count == m->capacity;
    assert(full || m->count == 0);
    lock_acquire(&d->lock);
    give(full ? &d->full : &d->empty, m);
    d->fulls += full;
    lock_release(&d->lock);
}

/* --- racks ---
 *
 * The count never passes the capacity, in whatever order one looks: a fork of a
 * threaded program copies other CPUs' racks as they just are. */

struct magazine *rack_unmount(struct rack *r)
{
    struct magazine *m = r->loaded;
    assert(r->count <= r->capacity && r->capacity == m->capacity);
    if (m != &no_magazine)
        m->count = r->count;
    r->loaded = &no_magazine;
    r->count = 0;
    r->capacity = 0;
    return m;
}

void rack_mount(struct rack *r, struct magazine *m)
{
    assert(r->loaded == &no_magazine);
    r->loaded = m;
    r->capacity = m->capacity;
    r->count = m->count;
}

static void swap(struct rack *r)
{
    struct magazine *m = r->spare;
    r->spare = rack_unmount(r);
    rack_mount(r, m);
}

/* The spare goes to the depot, the loaded one becomes the spare. */
static void load(struct rack *r, struct depot *d, struct magazine *m)
{
    if (r->spare != &no_magazine)
        depot_give(d, r->spare);
    r->spare = m;
    swap(r);
}

bool rack_load(struct rack *r, struct depot *d)
{
    assert(r->count == 0);
    if (r->spare->count > 0) {
        swap(r);
        return true;
    }
    struct magazine *m = depot_take_full(d);
    if (m)
        load(r, d, m);
    return m != NULL;
}

bool rack_unload(struct rack *r, struct depot *d)
{
    assert(r->count == r->capacity);
    if (r->spare->count < r->spare->capacity) {
        swap(r);
        return true;
    }
    struct magazine *m = depot_take_empty(d);
    if (m)
        load(r, d, m);
    return m != NULL;
}
