/* What the tagged heap tells about itself, and how it is checked against its
 * tags. */
#include "mm/kheap_blocks.h"

#include <oct/assert.h>

static struct block *block_in(struct list *node)
{
    return container_of(node, struct block, in_blocks);
}

/* Calls visit for each object and each free run of the block. */
static void each_run(struct block *b, void *context,
                     void (*visit)(void *context, struct block *b, size_t i,
                                   size_t n))
{
    size_t i = header_subblocks(b->chunks), n;
    assert(b->chunks > 0 && i < block_subblocks(b));
    for (; i < block_subblocks(b); i += n) {
        n = run_length(b, i);
        visit(context, b, i, n);
    }
}

static bool is_live(const struct block *b, size_t i)
{
    return is_live_tag(tag_at(b, i));
}

static void add_live(void *context, struct block *b, size_t i, size_t n)
{
    struct kheap_stats *sum = context;
    if (!is_live(b, i))
        return;
    sum->objects++;
    sum->live += n * SUBBLOCK;
}

void tagged_stats(struct heap *h, struct kheap_stats *out)
{
    struct tagged *t = tagged_of(h);
    lock_acquire(&t->lock);
    *out = (struct kheap_stats){.chunks = t->chunks};
    list_for_each (node, &t->blocks) {
        out->blocks++;
        out->free += block_in(node)->free * SUBBLOCK;
        each_run(block_in(node), out, add_live);
    }
    out->idle = t->taken * SUBBLOCK - out->live;
    out->largest = runs_longest(t) * SUBBLOCK;
    lock_release(&t->lock);
}

void tagged_visit(struct heap *h,
                  void (*visit)(void *context, const void *block, size_t chunks,
                                const uint8_t *tags),
                  void *context)
{
    struct tagged *t = tagged_of(h);
    lock_acquire(&t->lock);
    list_for_each (node, &t->blocks) {
        const struct block *b = block_in(node);
        visit(context, b, b->chunks, b->tag);
    }
    lock_release(&t->lock);
}

struct tour {
    void (*visit)(void *context, void *p, size_t size);
    void *context;
};

static void show_live(void *context, struct block *b, size_t i, size_t n)
{
    const struct tour *tour = context;
    if (is_live(b, i))
        tour->visit(tour->context, subblock_at(b, i), n * SUBBLOCK);
}

void tagged_each(struct heap *h,
                 void (*visit)(void *context, void *p, size_t size),
                 void *context)
{
    struct tour tour = {visit, context};
    list_for_each (node, &tagged_of(h)->blocks)
        each_run(block_in(node), &tour, show_live);
}

/* --- checking --- */

struct census {
    size_t taken, objects, idle, rounds, runs, chunks;
};

static const char *check_frames(struct tagged *t, const struct block *b)
{
    for (size_t i = 0; i < b->chunks; i++)
        if (block_of(t, (const char *)b + i * CHUNK) != b)
            return "kheap: a block's frame is not known to be its";
    return NULL;
}

static const char *check_object(struct block *b, size_t i, size_t n,
                                struct census *sum)
{
    unsigned class = class_of_tag(tag_at(b, i));
    bool right = class < CLASSES && class_length(class) == n &&
                 is_aligned(i, align_for(n));
    sum->taken += n;
    sum->objects++;
    sum->idle += (tag_at(b, i) & TAG_IDLE) != 0;
    if (class < CLASSES && !right)
        return "kheap: an object's tag is not one for its length and place";
    return NULL;
}

/* Objects are counted as runs of one tag: two neighbours that shared a tag
 * would count as one, and the sum would be short. */
static const char *check_tags(struct tagged *t, struct block *b,
                              struct census *sum)
{
    assert(b->chunks > 0 && is_aligned((uintptr_t)b, CHUNK));
    size_t header = header_subblocks(b->chunks), end = block_subblocks(b);
    size_t free = 0;
    const char *wrong = NULL;
    for (size_t i = 0; i < header; i++)
        if (tag_at(b, i) != TAG_HEADER)
            return "kheap: a block's header is not tagged as such";
    for (size_t i = header, run; i < end && !wrong; i += run) {
        run = run_length(b, i);
        if (tag_at(b, i) == TAG_HEADER)
            return "kheap: a header's tag behind the header";
        if (tag_at(b, i) != TAG_FREE) {
            wrong = check_object(b, i, run, sum);
            continue;
        }
        if (!runs_describe(t, b, i, run))
            return "kheap: a free run was written to, or is not listed";
        free += run;
        sum->runs++;
    }
    if (!wrong && free != b->free)
        return "kheap: a block's count of free subblocks is wrong";
    sum->chunks += b->chunks;
    return wrong;
}

struct rounds {
    struct tagged *t;
    size_t count;
};

static const char *check_round(void *context, const struct round *r,
                               unsigned class)
{
    struct rounds *rounds = context;
    const char *object = round_object(r);
    const struct block *b = block_of(rounds->t, object);
    const uint8_t *head = r->mark;
    assert(class < CLASSES);
    rounds->count++;
    if (!b || head != &b->tag[(size_t)(object - (const char *)b) / SUBBLOCK])
        return "kheap: an object at hand is not where its mark is";
    if (!(*head & TAG_IDLE) || class_of_tag(*head) != class)
        return "kheap: an object at hand is not idle, or of another class";
    return NULL;
}

static const char *check_all(struct tagged *t)
{
    assert(lock_held(&t->lock));
    struct census sum = {0};
    struct rounds rounds = {t, 0};
    const char *wrong = each_round(t, check_round, &rounds);
    list_for_each (node, &t->blocks) {
        if (!wrong)
            wrong = check_frames(t, block_in(node));
        if (!wrong)
            wrong = check_tags(t, block_in(node), &sum);
    }
    if (wrong)
        return wrong;
    if (sum.taken != t->taken || sum.objects != t->objects)
        return "kheap: the count of objects is not that of the tags";
    if (sum.idle != rounds.count + t->own)
        return "kheap: an idle object is at nobody's hand, or at two";
    if (sum.runs != runs_count(t))
        return "kheap: the lists of free runs are not those of the tags";
    return sum.chunks == t->chunks ? NULL : "kheap: a block is on no list";
}

const char *tagged_check(struct heap *h)
{
    struct tagged *t = tagged_of(h);
    lock_acquire(&t->lock);
    const char *wrong = check_all(t);
    lock_release(&t->lock);
    return wrong;
}
