/* The objects that each CPU has at hand: a rack of magazines for each length
 * class (mm/magazine.h), in front of the free runs. To the tags such an object
 * is allocated, and idle: so a second free is seen, no run is joined with it,
 * and kheap_check finds every one.
 *
 * A magazine holds MAGAZINE_BYTES worth of objects. When one is empty and the
 * depot has none, half of one is filled from the free runs under one lock, rows
 * of objects at a time; when one is full and the depot has enough, all of it
 * goes back there. The magazines are objects of this heap themselves, and idle.
 *
 * What that buys: instructions (and ns) of malloc + free on x86-64, of 64 bytes
 * in a loop, and of 1000 mixed sizes freed in random order; last, ns of a
 * malloc of 200,000 that nobody frees (docs/speed.md says how).
 *
 *   all there is              140 (6)     171 (12)      30
 *   without magazines        1291 (72)   1164 (121)
 *   without depots            140 (7)     469 (47)
 *   filled one by one         140 (6)     176 (13)      68
 *   tags that tell no length  184 (10)    277 (38)
 */
#include "mm/kheap_blocks.h"

#include <arch/irq.h>
#include <oct/assert.h>
#include <oct/string.h>

#define MAGAZINE_BYTES (32 * KiB)
#define FILL_PART 128
#define ROUNDS_LEAST ((size_t)2)
#define ROUNDS_MOST ((size_t)62)
#define DEPOT_BYTES (128 * KiB) /* in full magazines of a class, */
#define DEPOT_MOST ((size_t)8)  /* and how many they are */

static size_t rounds_for(unsigned class)
{
    size_t rounds = MAGAZINE_BYTES / (class_length(class) * SUBBLOCK);
    return min_size(max_size(rounds, ROUNDS_LEAST), ROUNDS_MOST);
}

static size_t depot_room(unsigned class)
{
    size_t bytes = rounds_for(class) * class_length(class) * SUBBLOCK;
    return min_size(DEPOT_BYTES / bytes, DEPOT_MOST);
}

/* --- a CPU's racks --- */

/* Of a CPU that has none. */
static struct cpu_racks no_racks = {.rack = {[0 ... CLASSES] = NO_RACK}};

static size_t table_frames(const struct tagged *t)
{
    size_t bytes = (t->heap.frames->cpus + 1) * sizeof(*t->cpu);
    return (bytes + PAGE_SIZE - 1) / PAGE_SIZE;
}

static void *zeroed_frames(const struct tagged *t, size_t n)
{
    struct frames *frames = t->heap.frames;
    paddr_t pa = frames_alloc_gfp(frames, n, PAGE_SIZE, frames->direct_end, 0);
    return pa ? memset(frames_view(frames, pa), 0, n * PAGE_SIZE) : NULL;
}

static void give_frames(const struct tagged *t, void *p, size_t n)
{
    struct frames *frames = t->heap.frames;
    int error = frames_free(frames, frames_address(frames, p), n);
    assert(!error);
}

bool cpus_init(struct tagged *t)
{
    t->cpu = zeroed_frames(t, table_frames(t));
    for (unsigned cpu = 0; cpu <= t->heap.frames->cpus && t->cpu; cpu++)
        t->cpu[cpu] = &no_racks;
    return t->cpu != NULL;
}

void cpus_destroy(struct tagged *t)
{
    for (unsigned cpu = 0; cpu < t->heap.frames->cpus; cpu++)
        if (t->cpu[cpu] != &no_racks)
            give_frames(t, t->cpu[cpu], 1);
    give_frames(t, t->cpu, table_frames(t));
}

/* This CPU's. Its interrupts are off. CPUs numbered `cpus` never have any. */
static inline struct cpu_racks *racks_here(const struct tagged *t)
{
    return t->cpu[arch_cpu_id()];
}

/* The same, made if they are not there yet. */
static struct cpu_racks *make_racks(struct tagged *t)
{
    static_assert(sizeof(struct cpu_racks) <= PAGE_SIZE, "one frame holds it");
    unsigned cpu = arch_cpu_id();
    if (racks_here(t) != &no_racks || cpu == t->heap.frames->cpus)
        return racks_here(t);
    struct cpu_racks *racks = zeroed_frames(t, 1);
    if (!racks)
        return &no_racks;
    *racks = no_racks;
    return t->cpu[cpu] = racks;
}

/* --- magazines --- */

/* An empty one, or NULL: no run has room for it. */
static struct magazine *new_magazine(struct tagged *t, unsigned class)
{
    assert(lock_held(&t->lock));
    size_t rounds = rounds_for(class);
    size_t size = sizeof(struct magazine) + rounds * sizeof(struct round);
    size_t n = class_length(class_for(subblocks_for(size)));
    struct place place = runs_find(t, n, align_for(n));
    void *p = NULL;
    if (!place.block)
        return NULL;
    take_row(t, &place, n, 0, &p);
    uint8_t *head = &place.block->tag[place.first];
    set_tag(head, *head | TAG_IDLE);
    t->own++;
    struct magazine *m = p;
    *m = (struct magazine){.capacity = (unsigned)rounds};
    return m;
}

static void free_idle(struct tagged *t, void *p)
{
    struct block *b = block_of(t, p);
    size_t i = (size_t)((char *)p - (char *)b) / SUBBLOCK;
    assert(tag_at(b, i) & TAG_IDLE);
    free_object(t, b, i);
}

/* Its objects go back to the runs. */
static void empty(struct tagged *t, struct magazine *m)
{
    assert(lock_held(&t->lock) && m != &no_magazine);
    for (unsigned i = 0; i < m->count; i++)
        free_idle(t, round_object(&m->round[i]));
    m->count = 0;
}

/* And it follows them. */
static void discard(struct tagged *t, struct magazine *m)
{
    if (m == &no_magazine)
        return;
    empty(t, m);
    t->own--;
    free_idle(t, m);
}

void drain(struct tagged *t, unsigned cpu)
{
    assert(lock_held(&t->lock));
    struct cpu_racks *racks = t->cpu[cpu];
    for (unsigned class = 0; class < CLASSES; ++class) {
        struct depot *d = &t->depot[class];
        struct magazine *m;
        if (racks != &no_racks) {
            discard(t, rack_unmount(&racks->rack[class]));
            discard(t, racks->rack[class].spare);
            racks->rack[class].spare = &no_magazine;
        }
        while ((m = depot_take_full(d)) || (m = depot_take_empty(d)))
            discard(t, m);
    }
}

/* --- the usual case ---
 *
 * A round's object is aligned, so there is room in its address for which of its
 * class's tags it has: to hand it out, the tag is written and not read. */

static inline bool put(struct rack *r, void *object, uint8_t *head, uint8_t tag,
                       unsigned class)
{
    uintptr_t which = tag - first_tag(class);
    if (!rack_push(r, (void *)((uintptr_t)object + which), head))
        return false;
    set_tag(head, tag | TAG_IDLE);
    return true;
}

static inline void *get(struct rack *r, unsigned class)
{
    const struct round *round = rack_pop(r);
    if (!round)
        return NULL;
    uintptr_t which = (uintptr_t)round->object % SUBBLOCK;
    set_tag(round->mark, (uint8_t)(first_tag(class) + which));
    return (void *)((uintptr_t)round->object - which);
}

void *round_object(const struct round *r)
{
    return (void *)((uintptr_t)r->object & ~(uintptr_t)(SUBBLOCK - 1));
}

void *tagged_alloc(struct heap *h, size_t size, gfp_t flags)
{
    struct tagged *t = tagged_of(h);
    void *p = NULL;
    if (size <= CLASS_LONGEST * SUBBLOCK && !(flags & __GFP_DMA)) {
        unsigned class = class_for((size + SUBBLOCK - 1) / SUBBLOCK);
        unsigned long irq = arch_irq_save();
        p = get(&racks_here(t)->rack[class], class);
        arch_irq_restore(irq);
    }
    return p ? p : alloc_slowly(t, size, flags);
}

const char *tagged_free(struct heap *h, const void *p)
{
    struct tagged *t = tagged_of(h);
    struct object o = find_object(t, p);
    if (o.refused)
        return o.refused;
    unsigned class = class_of_tag(o.tag);
    unsigned long irq = arch_irq_save();
    bool done = put(&racks_here(t)->rack[class], (void *)(uintptr_t)p,
                    &o.block->tag[o.first], o.tag, class);
    arch_irq_restore(irq);
    return done ? NULL : free_slowly(t, p);
}

/* --- out --- */

bool stock_up(struct tagged *t, unsigned class)
{
    unsigned long irq = arch_irq_save();
    struct cpu_racks *racks = make_racks(t);
    struct rack *r = &racks->rack[class];
    bool stocked =
        racks != &no_racks && (r->count > 0 || rack_load(r, &t->depot[class]));
    arch_irq_restore(irq);
    return stocked;
}

static void keep(struct rack *r, void *object, uint8_t *head)
{
    bool kept = put(r, object, head, *head, class_of_tag(*head));
    assert(kept);
}

/* One for the user; the others are idle, on the rack. */
static void *fill(struct tagged *t, struct rack *r, const struct place *place,
                  size_t n, size_t more)
{
    void *row[1 + ROUNDS_MOST / 2];
    size_t count = take_row(t, place, n, more, row);
    for (size_t k = count; k-- > 1;)
        keep(r, row[k], &place->block->tag[place->first + k * n]);
    return row[0];
}

/* How many to fill with: half a magazine, but FILL_PART of the heap at most, so
 * that a small heap does not lie about idle. */
static size_t plan(struct tagged *t, struct rack *r, unsigned class)
{
    size_t part = t->chunks * CHUNK_SUBBLOCKS / FILL_PART;
    size_t most = part / class_length(class);
    if (most > 0 && r->loaded == &no_magazine) {
        struct magazine *m = new_magazine(t, class);
        rack_mount(r, m ? m : &no_magazine);
    }
    return min_size(most, r->capacity / 2);
}

void *refill(struct tagged *t, unsigned class)
{
    assert(lock_held(&t->lock));
    struct cpu_racks *racks = make_racks(t);
    struct rack *r = &racks->rack[class];
    size_t n = class_length(class), want = 0;
    if (racks != &no_racks && (r->count > 0 || rack_load(r, &t->depot[class])))
        return get(r, class); /* freed meanwhile, by an interrupt */
    if (racks != &no_racks)
        want = plan(t, r, class);
    struct place place = runs_find(t, n, align_for(n));
    void *p = place.block ? fill(t, r, &place, n, want) : NULL;
    while (p && r->count < want) {
        place = runs_find(t, n, align_for(n));
        if (!place.block)
            break;
        keep(r, fill(t, r, &place, n, want - r->count - 1),
             &place.block->tag[place.first]);
    }
    return p;
}

/* --- back --- */

bool make_room(struct tagged *t, unsigned class)
{
    assert(class < CLASSES);
    struct depot *d = &t->depot[class];
    struct magazine *m = NULL;
    lock_acquire(&t->lock);
    struct cpu_racks *racks = make_racks(t);
    struct rack *r = &racks->rack[class];
    bool full = r->count == r->capacity;
    if (racks != &no_racks && full && !rack_unload(r, d)) {
        m = d->fulls < depot_room(class) ? new_magazine(t, class) : NULL;
        if (m) {
            depot_give(d, m);
            rack_unload(r, d);
        } else if (r->loaded != &no_magazine) {
            m = rack_unmount(r);
            empty(t, m);
            rack_mount(r, m);
        }
    }
    bool room = r->count < r->capacity;
    lock_release(&t->lock);
    return room;
}

/* --- looking --- */

struct tour {
    const char *(*visit)(void *context, const struct round *r, unsigned class);
    void *context;
};

static const char *visit_magazine(const struct magazine *m, unsigned class,
                                  const struct tour *tour)
{
    const char *wrong = NULL;
    for (unsigned i = 0; i < m->count && !wrong; i++)
        wrong = tour->visit(tour->context, &m->round[i], class);
    return wrong;
}

static const char *visit_racks(struct cpu_racks *racks, const struct tour *tour)
{
    const char *wrong = NULL;
    for (unsigned class = 0; class < CLASSES && !wrong; ++class) {
        struct rack *r = &racks->rack[class];
        struct magazine *m = rack_unmount(r);
        wrong = visit_magazine(m, class, tour);
        rack_mount(r, m);
        if (!wrong)
            wrong = visit_magazine(r->spare, class, tour);
    }
    return wrong;
}

const char *each_round(const struct tagged *t,
                       const char *(*visit)(void *context,
                                            const struct round *r,
                                            unsigned class),
                       void *context)
{
    const struct tour tour = {visit, context};
    const char *wrong = NULL;
    for (unsigned cpu = 0; cpu < t->heap.frames->cpus && !wrong; cpu++)
        if (t->cpu[cpu] != &no_racks)
            wrong = visit_racks(t->cpu[cpu], &tour);
    for (unsigned class = 0; class < CLASSES; ++class)
        for (const struct magazine *m = t->depot[class].full; m && !wrong;
             m = m->next)
            wrong = visit_magazine(m, class, &tour);
    return wrong;
}
