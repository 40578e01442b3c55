/* The heap is a linked list of blocks. A block is a run of 4 KiB chunks, and
 * begins with a header: how many chunks, the links, how many subblocks are
 * free, and a tag byte for each 32-byte subblock of the block. Tag 0 is free,
 * 0xff is the header itself, and the subblocks of one object share a tag that
 * differs from the tags of both neighbours. So the tags alone say where each
 * object begins and ends, and an object carries no header: an object of 32
 * bytes takes 32 bytes.
 *
 * The tags are the truth. Three things are derived from them, to be fast:
 *
 *   - `free`, the count of zero tags: an empty block is known without a look;
 *   - the free runs, each on a list for its length (kheap_runs.c), so that
 * neither allocating nor freeing searches the tags;
 *   - the frame manager's entries know of each frame of a block which chunk of
 * the block it is: that is how freeing finds the block of an address.
 *
 * What it does not do: it never moves objects, and a block goes back to the
 * frame manager only when all of it is free (one such block is kept as a
 * spare).
 */
#include "mm/kheap_blocks.h"
#include "mm/pmm.h"

#include <oct/assert.h>
#include <oct/kview.h>
#include <oct/report.h>
#include <oct/string.h>

#define GROW_CHUNKS 8 /* a new block's size, unless an object needs more */

struct heap heap = {.blocks = LIST_INIT(heap.blocks)};

static void tagged_init(void)
{
    list_init(&heap.blocks);
    runs_init();
}

/* --- blocks --- */

/* Asked for without the lock: the frame manager may have this heap shrunk. */
static struct block *new_block(size_t chunks, gfp_t flags)
{
    paddr_t pa = pmm_alloc_gfp(chunks, CHUNK, DIRECT_END, flags & ~__GFP_HIGH);
    if (!pa)
        return NULL;
    pmm_label(pa, chunks, FRAME_HEAP);
    struct block *b = phys_to_virt(pa);
    size_t header = header_subblocks(chunks);
    b->chunks = chunks;
    memset(b->tag, TAG_HEADER, header);
    memset(b->tag + header, TAG_FREE, block_capacity(b));
    b->free = block_capacity(b);
    return b;
}

static void add_block(struct block *b)
{
    assert(lock_held(&heap.lock));
    list_push(&heap.blocks, &b->in_blocks);
    runs_add(b, header_subblocks(b->chunks), b->free);
}

static void release_block(struct block *b)
{
    assert(b->free == block_capacity(b));
    if (heap.spare == b)
        heap.spare = NULL;
    list_remove(&b->in_blocks);
    runs_remove(b, header_subblocks(b->chunks), b->free);
    int error = pmm_frees(virt_to_phys(b), b->chunks);
    assert(!error);
}

/* The fewest chunks whose block holds n subblocks, the first at a multiple of
 * `align`. */
static size_t chunks_for(size_t n, size_t align)
{
    assert(n > 0 && is_power_of_two(align));
    size_t chunks = 1, fit;
    do {
        fit = chunks;
        size_t header = round_up_size(header_subblocks(chunks), align);
        chunks = (header + n + CHUNK_SUBBLOCKS - 1) / CHUNK_SUBBLOCKS;
    } while (chunks > fit);
    return fit;
}

static struct block *grow(size_t n, size_t align, gfp_t flags)
{
    size_t need = chunks_for(n, align);
    struct block *b = NULL;
    if (need < GROW_CHUNKS && !(flags & __GFP_DMA))
        b = new_block(GROW_CHUNKS, flags & ~(__GFP_WAIT | __GFP_NOFAIL));
    return b ? b : new_block(need, flags);
}

/* --- objects --- */

/* A tag for an object at [i, i + n) that its neighbours do not have. */
static uint8_t pick_tag(const struct block *b, size_t i, size_t n)
{
    assert(n > 0 && i + n <= block_subblocks(b));
    uint8_t left = b->tag[i - 1]; /* the header is always to the left */
    uint8_t right = i + n < block_subblocks(b) ? b->tag[i + n] : TAG_FREE;
    uint8_t tag = TAG_FIRST;
    while (tag == left || tag == right)
        tag++;
    return tag;
}

/* The free run i..i+n-1 keeps [first, first + used) no longer. */
static void split_run(const struct place *p, size_t used)
{
    size_t end = p->first + used, run_end = p->i + p->n;
    runs_remove(p->block, p->i, p->n);
    memset(p->block->tag + p->first, pick_tag(p->block, p->first, used), used);
    if (p->first > p->i)
        runs_add(p->block, p->i, p->first - p->i);
    if (run_end > end)
        runs_add(p->block, end, run_end - end);
    p->block->free -= used;
    heap.live += used;
}

static void *take(const struct place *p, size_t n)
{
    assert(lock_held(&heap.lock));
    if (heap.spare == p->block)
        heap.spare = NULL;
    split_run(p, n);
    heap.objects++;
    return subblock_at(p->block, p->first);
}

/* Joins what becomes free with the free runs on its sides. */
static void free_run(struct block *b, size_t i, size_t n)
{
    assert(lock_held(&heap.lock));
    size_t before = runs_before(b, i), behind = runs_from(b, i + n);
    if (before)
        runs_remove(b, i - before, before);
    if (behind)
        runs_remove(b, i + n, behind);
    memset(b->tag + i, TAG_FREE, n);
    runs_add(b, i - before, before + n + behind);
    b->free += n;
    heap.live -= n;
}

/* An empty block of the usual size becomes the spare one; the rest go back. */
static void settle_empty(struct block *b)
{
    assert(lock_held(&heap.lock));
    if (b->free < block_capacity(b))
        return;
    if (!heap.spare && b->chunks <= GROW_CHUNKS)
        heap.spare = b;
    else if (heap.spare != b)
        release_block(b);
}

/* --- allocating --- */

/* In subblocks. Powers of two are aligned to their size, or to a page. */
static size_t align_for(size_t size)
{
    return is_power_of_two(size) && size > SUBBLOCK
               ? min_size(size, CHUNK) / SUBBLOCK
               : 1;
}

static void *take_from_blocks(size_t n, size_t align)
{
    lock_acquire(&heap.lock);
    struct place place = runs_find(n, align);
    void *p = place.block ? take(&place, n) : NULL;
    lock_release(&heap.lock);
    return p;
}

/* A new block is one free run, and has room: it was made for this object. */
static void *take_from_new(struct block *b, size_t n, size_t align)
{
    size_t header = header_subblocks(b->chunks);
    struct place place = {b, header, b->free, round_up_size(header, align)};
    lock_acquire(&heap.lock);
    add_block(b);
    void *p = take(&place, n);
    lock_release(&heap.lock);
    return p;
}

/* Blocks lie anywhere, so an object for a device has one made for it. */
static void *tagged_alloc(size_t size, gfp_t flags)
{
    assert(size <= HEAP_SIZE_MAX);
    size_t n = subblocks_for(size), align = align_for(size);
    void *p = flags & __GFP_DMA ? NULL : take_from_blocks(n, align);
    struct block *b = p ? NULL : grow(n, align, flags);
    return b ? take_from_new(b, n, align) : p;
}

/* --- freeing --- */

struct object {
    struct block *block;
    size_t first, n;     /* its subblocks */
    const char *refused; /* or why p is not one */
};

static struct object find_object(const void *p)
{
    assert(lock_held(&heap.lock));
    paddr_t start = pmm_run_start(virt_to_phys(p), FRAME_HEAP);
    if (!start)
        return (struct object){.refused = "not from this heap"};
    struct block *b = phys_to_virt(start);
    size_t offset = (size_t)((const char *)p - (const char *)b);
    size_t i = offset / SUBBLOCK;
    if (b->tag[i] == TAG_HEADER)
        return (struct object){.refused = "inside a block's header"};
    if (b->tag[i] == TAG_FREE)
        return (struct object){.refused = "free already"};
    if (offset % SUBBLOCK || b->tag[i - 1] == b->tag[i])
        return (struct object){.refused = "inside an object"};
    return (struct object){b, i, run_length(b, i), NULL};
}

static const char *tagged_free(const void *p)
{
    lock_acquire(&heap.lock);
    struct object o = find_object(p);
    if (!o.refused) {
        free_run(o.block, o.first, o.n);
        heap.objects--;
        settle_empty(o.block);
    }
    lock_release(&heap.lock);
    return o.refused;
}

static struct heap_object tagged_find(const void *p)
{
    lock_acquire(&heap.lock);
    struct object o = find_object(p);
    lock_release(&heap.lock);
    return (struct heap_object){o.n * SUBBLOCK, o.refused};
}

/* --- resizing --- */

/* Grows or shrinks an object where it is, to n > 0 subblocks; false if another
 * object is in the way. */
static bool resize_here(struct object *o, size_t n)
{
    struct block *b = o->block;
    size_t end = o->first + o->n;
    assert(n > 0 && lock_held(&heap.lock));
    if (n == o->n)
        return true;
    if (n < o->n) {
        free_run(b, o->first + n, o->n - n);
        return true;
    }
    size_t more = n - o->n, behind = runs_from(b, end);
    if (behind < more)
        return false;
    struct place place = {b, end, behind, end};
    split_run(&place, more);
    memset(b->tag + o->first, pick_tag(b, o->first, n), n);
    return true;
}

static bool tagged_resize(void *p, size_t size)
{
    assert(size > 0 && size <= HEAP_SIZE_MAX);
    lock_acquire(&heap.lock);
    struct object o = find_object(p);
    bool done = !o.refused && is_aligned(o.first, align_for(size)) &&
                resize_here(&o, subblocks_for(size));
    lock_release(&heap.lock);
    return done;
}

static size_t tagged_trim(void)
{
    size_t frames = 0;
    if (!lock_try(&heap.lock))
        return 0;
    if (heap.spare) {
        frames = heap.spare->chunks;
        release_block(heap.spare);
    }
    lock_release(&heap.lock);
    return frames;
}

const struct heap_ops tagged_heap = {
    .name = "tagged",
    .init = tagged_init,
    .alloc = tagged_alloc,
    .free = tagged_free,
    .find = tagged_find,
    .resize = tagged_resize,
    .trim = tagged_trim,
    .stats = tagged_stats,
    .check = tagged_check,
    .each = tagged_each,
};
