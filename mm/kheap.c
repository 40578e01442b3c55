/* The tagged heap is a linked list of blocks. A block is a run of 4 KiB chunks,
 * and begins with a header: how many chunks, the links, how many subblocks are
 * free, and a tag byte for each 32-byte subblock of the block. Tag 0 is free,
 * 0xff is the header itself, and the subblocks of one object share a tag that
 * differs from the tags of both neighbours. So the tags alone say where each
 * object begins and ends, and an object carries no header: an object of 32
 * bytes takes 32 bytes.
 *
 * The tags are the truth. What is derived from them, to be fast:
 *
 *   - a tag also tells the length of its object, so freeing counts nothing;
 *   - some free objects of each length are at hand for each CPU (kheap_cpu.c):
 *     mostly, allocating and freeing take no lock, and change one tag;
 *   - the free runs are each on a list for its length (kheap_runs.c), so that
 *     neither searches the tags;
 *   - `free`, the count of zero tags: an empty block is known without a look;
 *   - the frame manager's entries know of each frame of a block which chunk of
 *     the block it is: that is how freeing finds the block of an address.
 *
 * What it does not do: it never moves objects, and a block goes back to the
 * frame manager only when all of it is free (one such block is kept as a
 * spare).
 */
#include "mm/kheap_blocks.h"

#include <arch/irq.h>
#include <oct/assert.h>

#define GROW_LEAST ((size_t)8) /* chunks of a new block, unless an object */
#define GROW_MOST ((size_t)33) /* needs more: in between, a part */
#define GROW_PART 8            /* of what the heap has */

static bool tagged_init(struct heap *h)
{
    struct tagged *t = tagged_of(h);
    list_init(&t->blocks);
    runs_init(t);
    return cpus_init(t);
}

/* --- blocks --- */

/* Asked for without the lock: the frame manager may have this heap shrunk. */
static struct block *new_block(struct tagged *t, size_t chunks, gfp_t flags)
{
    struct frames *frames = t->heap.frames;
    paddr_t pa = frames_alloc_gfp(frames, chunks, CHUNK, frames->direct_end,
                                  flags & ~__GFP_HIGH);
    if (!pa)
        return NULL;
    struct block *b = frames_view(frames, pa);
    size_t header = header_subblocks(chunks);
    b->chunks = chunks;
    b->free = block_capacity(b);
    paint(b, 0, header, TAG_HEADER);
    paint(b, header, b->free, TAG_FREE);
    frames_label(frames, pa, chunks, FRAME_HEAP); /* from now on it is found */
    return b;
}

static void add_block(struct tagged *t, struct block *b)
{
    assert(lock_held(&t->lock));
    list_push(&t->blocks, &b->in_blocks);
    t->chunks += b->chunks;
    runs_add(t, b, header_subblocks(b->chunks), b->free);
}

static void give_back(struct tagged *t, struct block *b)
{
    int error = frames_free(t->heap.frames, frames_address(t->heap.frames, b),
                            b->chunks);
    assert(!error);
}

static void release_block(struct tagged *t, struct block *b)
{
    assert(b->free == block_capacity(b));
    if (t->spare == b)
        t->spare = NULL;
    list_remove(&b->in_blocks);
    t->chunks -= b->chunks;
    runs_remove(t, b, header_subblocks(b->chunks), b->free);
    give_back(t, b);
}

static void tagged_destroy(struct heap *h)
{
    struct tagged *t = tagged_of(h);
    cpus_destroy(t);
    while (!list_empty(&t->blocks)) {
        struct list *node = t->blocks.next;
        list_remove(node);
        give_back(t, container_of(node, struct block, in_blocks));
    }
}

/* The fewest chunks whose block holds n subblocks, wherever a multiple of
 * `align` lies in it. */
static size_t chunks_for(size_t n, size_t align)
{
    assert(n > 0 && is_power_of_two(align));
    size_t chunks = 1, fit, gap = align > CHUNK_SUBBLOCKS ? align : 0;
    do {
        fit = chunks;
        size_t header = header_subblocks(chunks);
        if (!gap)
            header = round_up_size(header, align);
        chunks = (header + gap + n + CHUNK_SUBBLOCKS - 1) / CHUNK_SUBBLOCKS;
    } while (chunks > fit);
    return fit;
}

static struct block *grow(struct tagged *t, size_t n, size_t align, gfp_t flags)
{
    size_t need = chunks_for(n, align);
    lock_acquire(&t->lock);
    size_t part = max_size(GROW_LEAST, t->chunks / GROW_PART);
    lock_release(&t->lock);
    size_t usual = min_size(GROW_MOST, part);
    struct block *b = NULL;
    if (need < usual && !(flags & __GFP_DMA))
        b = new_block(t, usual, flags & ~(__GFP_WAIT | __GFP_NOFAIL));
    return b ? b : new_block(t, need, flags);
}

/* --- objects --- */

uint8_t pick_tag(const struct block *b, size_t i, size_t n)
{
    assert(n > 0 && i + n <= block_subblocks(b));
    bool has_class = n <= CLASS_LONGEST && class_length(class_for(n)) == n;
    uint8_t tag = first_tag(has_class ? class_for(n) : CLASSES);
    uint8_t left = tag_at(b, i - 1); /* the header is always to the left */
    uint8_t right = i + n < block_subblocks(b) ? tag_at(b, i + n) : TAG_FREE;
    while (tag == (left & ~TAG_IDLE) || tag == (right & ~TAG_IDLE))
        tag++;
    return tag;
}

static void make_object(struct tagged *t, struct block *b, size_t i, size_t n)
{
    assert(b->free >= n);
    paint(b, i, n, pick_tag(b, i, n));
    b->free -= n;
    t->taken += n;
    t->objects++;
}

size_t take_row(struct tagged *t, const struct place *p, size_t n, size_t more,
                void *out[])
{
    assert(lock_held(&t->lock));
    size_t end = p->first, run_end = p->i + p->n, count = 0;
    if (t->spare == p->block)
        t->spare = NULL;
    runs_remove(t, p->block, p->i, p->n);
    do {
        make_object(t, p->block, end, n);
        out[count++] = subblock_at(p->block, end);
        end += n;
    } while (count <= more && run_end - end >= n);
    if (p->first > p->i)
        runs_add(t, p->block, p->i, p->first - p->i);
    if (run_end > end)
        runs_add(t, p->block, end, run_end - end);
    return count;
}

/* Joins what becomes free with the free runs on its sides. */
void free_run(struct tagged *t, struct block *b, size_t i, size_t n)
{
    assert(lock_held(&t->lock));
    size_t before = runs_before(b, i), behind = runs_from(b, i + n);
    if (before)
        runs_remove(t, b, i - before, before);
    if (behind)
        runs_remove(t, b, i + n, behind);
    paint(b, i, n, TAG_FREE);
    runs_add(t, b, i - before, before + n + behind);
    b->free += n;
    t->taken -= n;
}

/* An empty block of the usual size becomes the spare one; the rest go back. */
static void settle_empty(struct tagged *t, struct block *b)
{
    if (b->free < block_capacity(b))
        return;
    if (!t->spare && b->chunks <= GROW_MOST)
        t->spare = b;
    else if (t->spare != b)
        release_block(t, b);
}

void free_object(struct tagged *t, struct block *b, size_t i)
{
    uint8_t tag = tag_at(b, i);
    unsigned class = class_of_tag(tag);
    size_t n = class < CLASSES ? class_length(class) : run_length(b, i);
    assert(tag != TAG_FREE && tag != TAG_HEADER);
    free_run(t, b, i, n);
    t->objects--;
    settle_empty(t, b);
}

/* --- allocating --- */

static void *take_one(struct tagged *t, size_t n, size_t align)
{
    assert(lock_held(&t->lock));
    struct place place = runs_find(t, n, align);
    void *p = NULL;
    if (place.block)
        take_row(t, &place, n, 0, &p);
    return p;
}

/* Blocks lie anywhere, so an object for a device has one made for it. */
static void *alloc_for_device(struct tagged *t, size_t n, size_t align,
                              gfp_t flags)
{
    struct block *b = grow(t, n, align, flags);
    size_t header = b ? header_subblocks(b->chunks) : 0;
    void *p = NULL;
    if (!b)
        return NULL;
    struct place place = {b, header, b->free, round_up_size(header, align)};
    lock_acquire(&t->lock);
    add_block(t, b);
    take_row(t, &place, n, 0, &p);
    lock_release(&t->lock);
    return p;
}

/* In the order of what they cost: from the runs, or from a new block. Between
 * the two the lock is free, and another CPU may take what was made for us. */
static void *alloc_from_runs(struct tagged *t, size_t n, size_t align,
                             bool for_cpu, gfp_t flags)
{
    void *p = NULL;
    struct block *b = NULL;
    do {
        lock_acquire(&t->lock);
        if (b)
            add_block(t, b);
        p = for_cpu ? refill(t, class_for(n)) : take_one(t, n, align);
        lock_release(&t->lock);
    } while (!p && (b = grow(t, n, align, flags)));
    return p;
}

void *alloc_slowly(struct tagged *t, size_t size, gfp_t flags)
{
    size_t n = subblocks_for(size);
    bool has_class = n <= CLASS_LONGEST;
    if (flags & __GFP_DMA)
        return alloc_for_device(t, n, align_for(n), flags);
    if (has_class && stock_up(t, class_for(n)))
        return tagged_alloc(&t->heap, size, flags);
    n = has_class ? class_length(class_for(n)) : n;
    return size <= HEAP_SIZE_MAX
               ? alloc_from_runs(t, n, align_for(n), has_class, flags)
               : NULL;
}

static void *tagged_alloc_aligned(struct heap *h, size_t size, size_t align,
                                  gfp_t flags)
{
    size_t n = subblocks_for(size), least = subblocks_for(align);
    assert(is_power_of_two(align) && size <= HEAP_SIZE_MAX);
    if (align_for(n) >= least)
        return tagged_alloc(h, size, flags);
    if (align > HEAP_SIZE_MAX - size)
        return NULL;
    return alloc_from_runs(tagged_of(h), n, least, false, flags);
}

/* --- freeing --- */

const char *why_refused(const struct block *b, const void *p)
{
    size_t offset = (size_t)((const char *)p - (const char *)b);
    uint8_t tag = tag_at(b, offset / SUBBLOCK);
    if (tag == TAG_HEADER)
        return "inside a block's header";
    return tag == TAG_FREE || tag & TAG_IDLE ? "free already"
                                             : "inside an object";
}

const char *free_slowly(struct tagged *t, const void *p)
{
    struct object o = find_object(t, p);
    unsigned class = class_of_tag(o.tag);
    if (class < CLASSES && make_room(t, class))
        return tagged_free(&t->heap, p);
    lock_acquire(&t->lock);
    free_object(t, o.block, o.first);
    lock_release(&t->lock);
    return NULL;
}

/* --- the rest --- */

static size_t tagged_trim(struct heap *h)
{
    struct tagged *t = tagged_of(h);
    if (!lock_try(&t->lock))
        return 0;
    size_t before = t->chunks;
    drain(t, arch_cpu_id());
    if (t->spare)
        release_block(t, t->spare);
    size_t frames = before - t->chunks;
    lock_release(&t->lock);
    return frames;
}

static void tagged_drain(struct heap *h, unsigned cpu)
{
    struct tagged *t = tagged_of(h);
    lock_acquire(&t->lock);
    drain(t, cpu);
    lock_release(&t->lock);
}

static void tagged_hold(struct heap *h)
{
    struct tagged *t = tagged_of(h);
    lock_acquire(&t->lock);
    for (unsigned class = 0; class < CLASSES; ++class)
        lock_acquire(&t->depot[class].lock);
}

static void tagged_release(struct heap *h)
{
    struct tagged *t = tagged_of(h);
    for (unsigned class = CLASSES; class -- > 0;)
        lock_release(&t->depot[class].lock);
    lock_release(&t->lock);
}

const struct heap_ops tagged_heap = {
    .name = "tagged",
    .bytes = sizeof(struct tagged),
    .init = tagged_init,
    .destroy = tagged_destroy,
    .alloc = tagged_alloc,
    .alloc_aligned = tagged_alloc_aligned,
    .free = tagged_free,
    .find = tagged_find,
    .resize = tagged_resize,
    .trim = tagged_trim,
    .drain = tagged_drain,
    .hold = tagged_hold,
    .release = tagged_release,
    .stats = tagged_stats,
    .check = tagged_check,
    .each = tagged_each,
};
