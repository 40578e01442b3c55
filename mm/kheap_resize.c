/* How long an object is, and how it becomes longer or shorter where it lies.
 * Its tags are painted anew, for they tell its length. */
#include "mm/kheap_blocks.h"

#include <oct/assert.h>

static size_t length_of(const struct object *o)
{
    unsigned class = class_of_tag(o->tag);
    return class < CLASSES ? class_length(class)
                           : run_length(o->block, o->first);
}

struct heap_object tagged_find(struct heap *h, const void *p)
{
    struct object o = find_object(tagged_of(h), p);
    return (struct heap_object){o.refused ? 0 : length_of(&o) * SUBBLOCK,
                                o.refused};
}

/* Its last subblocks become free. */
static void shorten(struct tagged *t, const struct object *o, size_t n)
{
    size_t have = length_of(o);
    assert(lock_held(&t->lock) && n > 0 && n < have);
    paint(o->block, o->first, n, pick_tag(o->block, o->first, n));
    free_run(t, o->block, o->first + n, have - n);
}

/* The free subblocks behind it become its own, if there are enough. */
static bool lengthen(struct tagged *t, const struct object *o, size_t n)
{
    struct block *b = o->block;
    size_t end = o->first + length_of(o), more = o->first + n - end;
    size_t behind = runs_from(b, end);
    assert(lock_held(&t->lock) && more > 0);
    if (behind < more)
        return false;
    runs_remove(t, b, end, behind);
    paint(b, o->first, n, pick_tag(b, o->first, n));
    if (behind > more)
        runs_add(t, b, end + more, behind - more);
    b->free -= more;
    t->taken += more;
    return true;
}

/* An object whose length is a power of two is aligned to it: so one that is not
 * cannot get such a length. It stays longer, or has to move. */
bool tagged_resize(struct heap *h, void *p, size_t size)
{
    assert(size > 0 && size <= HEAP_SIZE_MAX);
    struct tagged *t = tagged_of(h);
    struct object o = find_object(t, p);
    size_t n = subblocks_for(size), have = o.refused ? 0 : length_of(&o);
    if (n <= CLASS_LONGEST)
        n = class_length(class_for(n));
    bool aligned = is_aligned(o.first, align_for(n)), done = true;
    if (o.refused || (!aligned && (n > have || is_power_of_two(size))))
        return false;
    if (!aligned || (n <= have && 4 * n > 3 * have))
        return true;
    lock_acquire(&t->lock);
    if (n < have)
        shorten(t, &o, n);
    else
        done = lengthen(t, &o, n);
    lock_release(&t->lock);
    return done;
}
