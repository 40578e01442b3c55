/* A chunk is a row of units, one a CPU, all of one size: a piece of dynamic
 * data takes the same bytes of each. The first chunk is the one with the static
 * data; others come when it is full, and go when they are empty.
 *
 * Who has which bytes is written down once a chunk, at the end of CPU 0's unit
 * (the same bytes of the other units are not used), a tag for each 16 bytes:
 *
 *   unit:  | static data |  32 B |    64 B     |  free   ...     | this header
 * | tags:     F  F  F      S  I    S  I  I  I    0  0  0  0  0      F  F  F
 *
 * Pieces are found by looking at the tags from the start: allocation is rare,
 * and a unit has a few hundred.
 */
#include "mm/percpu.h"
#include "mm/pmm.h"

#include <oct/assert.h>
#include <oct/kview.h>
#include <oct/list.h>
#include <oct/lock.h>
#include <oct/report.h>
#include <oct/string.h>

#define GRAIN ((size_t)16) /* bytes a tag stands for */
#define NOWHERE ((size_t)-1)

enum { FREE, START, INSIDE, FIXED };

struct chunk {
    struct list link;
    char *base;    /* CPU 0's unit */
    size_t free;   /* tags FREE */
    size_t used;   /* tags START or INSIDE */
    uint8_t tag[]; /* one a grain of the unit */
};

static struct lock percpu_lock; /* guards the list and all tags */
static struct list chunks = LIST_INIT(chunks);

static size_t grains(void)
{
    return percpu_map.unit / GRAIN;
}

static size_t grains_of(size_t bytes)
{
    return (bytes + GRAIN - 1) / GRAIN;
}

static size_t header_grains(void)
{
    return grains_of(sizeof(struct chunk) + grains());
}

static size_t chunk_frames(void)
{
    return percpu_map.cpus * (percpu_map.unit / PAGE_SIZE);
}

/* --- chunks --- */

static struct chunk *make_chunk(char *base, size_t fixed)
{
    size_t n = grains(), first = grains_of(fixed), end = n - header_grains();
    struct chunk *c = (struct chunk *)(void *)(base + end * GRAIN);
    c->base = base;
    c->free = end - first;
    c->used = 0;
    memset(c->tag, FREE, n);
    memset(c->tag, FIXED, first);
    memset(c->tag + end, FIXED, n - end);
    return c;
}

/* The first chunk joins the list when it is first needed, and never leaves. */
static void lock_chunks(void)
{
    assert(percpu_map.cpus > 0);
    lock_acquire(&percpu_lock);
    if (list_empty(&chunks))
        list_push(&chunks,
                  &make_chunk(percpu_map.first, percpu_map.fixed)->link);
}

static void unlock_chunks(void)
{
    lock_release(&percpu_lock);
}

static struct chunk *new_chunk(void)
{
    size_t n = chunk_frames();
    paddr_t pa = pmm_alloc_gfp(n, PAGE_SIZE, DIRECT_END, GFP_KERNEL);
    if (!pa)
        return NULL;
    pmm_label(pa, n, FRAME_PERCPU);
    return make_chunk(phys_to_virt(pa), 0);
}

static void free_chunk(struct chunk *c)
{
    assert(c->used == 0 && c->base != percpu_map.first);
    int error = pmm_frees(virt_to_phys(c->base), chunk_frames());
    assert(!error);
}

/* --- pieces --- */

/* The last taken one of n grains, or NOWHERE. */
static size_t last_taken(const struct chunk *c, size_t first, size_t n)
{
    for (size_t i = first + n; i-- > first;)
        if (c->tag[i] != FREE)
            return i;
    return NOWHERE;
}

static size_t find(const struct chunk *c, size_t n, size_t align)
{
    size_t at = 0;
    while (n <= c->free && at + n <= grains()) {
        size_t taken = last_taken(c, at, n);
        if (taken == NOWHERE)
            return at;
        at = (size_t)round_up(taken + 1, align);
    }
    return NOWHERE;
}

static char *take(struct chunk *c, size_t at, size_t n)
{
    assert(lock_held(&percpu_lock));
    assert(n > 0 && n <= c->free && last_taken(c, at, n) == NOWHERE);
    memset(c->tag + at, INSIDE, n);
    c->tag[at] = START;
    c->free -= n;
    c->used += n;
    return c->base + at * GRAIN;
}

/* CPU 0's copy of a new piece in any chunk, or NULL: they are full. */
static char *take_anywhere(size_t n, size_t align)
{
    assert(lock_held(&percpu_lock));
    list_for_each (link, &chunks) {
        struct chunk *c = container_of(link, struct chunk, link);
        size_t at = find(c, n, align);
        if (at != NOWHERE)
            return take(c, at, n);
    }
    return NULL;
}

static char *take_or_grow(size_t n, size_t align)
{
    lock_chunks();
    char *p = take_anywhere(n, align);
    unlock_chunks();
    struct chunk *c = p ? NULL : new_chunk();
    if (!c)
        return p;
    lock_chunks();
    list_append(&chunks, &c->link);
    p = take(c, 0, n);
    unlock_chunks();
    return p;
}

/* --- giving back --- */

/* The chunk with a piece whose copy for CPU 0 begins at `at`, or NULL. */
static struct chunk *chunk_of(uintptr_t at)
{
    assert(lock_held(&percpu_lock));
    list_for_each (link, &chunks) {
        struct chunk *c = container_of(link, struct chunk, link);
        uintptr_t inside = at - (uintptr_t)c->base;
        if (inside < percpu_map.unit)
            return inside % GRAIN == 0 && c->tag[inside / GRAIN] == START
                       ? c
                       : NULL;
    }
    return NULL;
}

static void put_back(struct chunk *c, size_t at)
{
    assert(lock_held(&percpu_lock));
    size_t n = 1;
    assert(c->tag[at] == START);
    while (c->tag[at + n] == INSIDE)
        n++;
    memset(c->tag + at, FREE, n);
    c->free += n;
    c->used -= n;
}

/* False, and nothing happens, if no piece begins at `at`. */
static bool release(uintptr_t at)
{
    lock_chunks();
    struct chunk *c = chunk_of(at);
    if (c)
        put_back(c, (at - (uintptr_t)c->base) / GRAIN);
    bool goes = c && c->used == 0 && c->base != percpu_map.first;
    if (goes)
        list_remove(&c->link);
    unlock_chunks();
    if (goes)
        free_chunk(c);
    return c != NULL;
}

/* --- handles --- */

/* The piece at one certain address would have NULL as its handle: that one is
 * kept until there is another. */
static char *take_with_handle(size_t n, size_t align)
{
    char *p = take_or_grow(n, align);
    if ((uintptr_t)p != percpu_map.offset)
        return p;
    char *other = take_or_grow(n, align);
    release((uintptr_t)p);
    return other;
}

static const char *refuse(size_t size, size_t align)
{
    if (!is_power_of_two(align) || align > PAGE_SIZE)
        return "no such alignment";
    return size == 0 || size > percpu_map.unit / 2 ? "no such size" : NULL;
}

void *__alloc_percpu(size_t size, size_t align)
{
    const char *refused = refuse(size, align);
    char *p = NULL;
    if (!refused)
        p = take_with_handle(grains_of(size), grains_of(align));
    if (!p) {
        report(CALLER, "alloc_percpu of %zu bytes: %s", size,
               refused ? refused : "no memory");
        return NULL;
    }
    for (unsigned cpu = 0; cpu < percpu_map.cpus; cpu++)
        memset(p + cpu * percpu_map.unit, 0, size);
    return (void *)((uintptr_t)p - percpu_map.offset);
}

void free_percpu(const void *handle)
{
    if (handle && !release((uintptr_t)handle + percpu_map.offset))
        report(CALLER, "free_percpu of %p refused: no live data", handle);
}

/* --- looking and checking --- */

void percpu_stats(struct percpu_stats *out)
{
    *out = (struct percpu_stats){0, 0, 0};
    lock_chunks();
    list_for_each (link, &chunks) {
        const struct chunk *c = container_of(link, struct chunk, link);
        out->chunks++;
        out->used += c->used * GRAIN;
        out->free += c->free * GRAIN;
    }
    unlock_chunks();
}

static const char *check_chunk(const struct chunk *c)
{
    assert(lock_held(&percpu_lock));
    size_t count[FIXED + 1] = {0}, end = grains() - header_grains();
    for (size_t i = 0; i < grains(); i++) {
        uint8_t before = i > 0 ? c->tag[i - 1] : FIXED;
        if (c->tag[i] > FIXED)
            return "percpu: no such tag";
        if (c->tag[i] == INSIDE && before != START && before != INSIDE)
            return "percpu: a piece has no start";
        if (i >= end && c->tag[i] != FIXED)
            return "percpu: a header is not kept";
        count[c->tag[i]]++;
    }
    if (count[FREE] != c->free || count[START] + count[INSIDE] != c->used)
        return "percpu: a chunk's counts are not its tags'";
    if (c->base != percpu_map.first && c->used == 0)
        return "percpu: an empty chunk is kept";
    if (c->base != percpu_map.first && count[FIXED] != grains() - end)
        return "percpu: a chunk has static data";
    return NULL;
}

const char *percpu_check(void)
{
    const char *wrong = NULL;
    lock_chunks();
    list_for_each (link, &chunks)
        if (!wrong)
            wrong = check_chunk(container_of(link, struct chunk, link));
    unlock_chunks();
    return wrong;
}
