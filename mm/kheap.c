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
 *   - `free`, the count of zero tags: a full block is never looked at.
 *   - `longest`, an upper bound on the longest run of zero tags. Blocks are
 * kept in bins by its logarithm, so a search begins among blocks that may have
 *     room. A search that finds the bound too high lowers it.
 *   - the frame manager's entries know of each frame of a block which chunk of
 *     the block it is: that is how freeing finds the block of an address.
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
#define SIZE_LIMIT ((size_t)-1 / 2)

struct heap heap;

void kheap_init(void)
{
    list_init(&heap.blocks);
    for (size_t i = 0; i < ARRAY_SIZE(heap.bin); i++)
        list_init(&heap.bin[i]);
}

/* --- blocks and bins --- */

static void set_longest(struct block *b, size_t longest)
{
    if (bin_of(longest) != bin_of(b->longest)) {
        list_remove(&b->in_bin);
        list_push(&heap.bin[bin_of(longest)], &b->in_bin);
    }
    b->longest = longest;
}

static struct block *new_block(size_t chunks)
{
    paddr_t pa = pmm_allocs(chunks);
    if (!pa)
        return NULL;
    pmm_label(pa, chunks, FRAME_HEAP);
    struct block *b = phys_to_virt(pa);
    size_t header = header_subblocks(chunks);
    b->chunks = chunks;
    memset(b->tag, TAG_HEADER, header);
    memset(b->tag + header, TAG_FREE, block_subblocks(b) - header);
    b->free = b->longest = block_subblocks(b) - header;
    list_push(&heap.blocks, &b->in_blocks);
    list_push(&heap.bin[bin_of(b->longest)], &b->in_bin);
    return b;
}

static void release_block(struct block *b)
{
    if (heap.spare == b)
        heap.spare = NULL;
    list_remove(&b->in_blocks);
    list_remove(&b->in_bin);
    int error = pmm_frees(virt_to_phys(b), b->chunks);
    assert(!error);
}

/* The fewest chunks whose block holds n subblocks, the first at a multiple of
 * `align`. */
static size_t chunks_for(size_t n, size_t align)
{
    size_t chunks = 1, fit;
    do {
        fit = chunks;
        size_t header = round_up_size(header_subblocks(chunks), align);
        chunks = (header + n + CHUNK_SUBBLOCKS - 1) / CHUNK_SUBBLOCKS;
    } while (chunks > fit);
    return fit;
}

static struct block *grow(size_t n, size_t align)
{
    size_t need = chunks_for(n, align);
    struct block *b = NULL;
    if (need < GROW_CHUNKS)
        b = new_block(GROW_CHUNKS);
    return b ? b : new_block(need);
}

/* --- runs of tags --- */

/* A run of n free subblocks at a multiple of align, or NO_RUN. A candidate is
 * given up at its last taken subblock. */
static size_t find_run(const struct block *b, size_t n, size_t align)
{
    size_t i = header_subblocks(b->chunks), end = block_subblocks(b);
    for (;;) {
        i = next_free_tag(b, i);
        i = round_up_size(i, align);
        if (i + n > end)
            return NO_RUN;
        size_t last = i + n;
        while (last > i && b->tag[last - 1] == TAG_FREE)
            last--;
        if (last == i)
            return i;
        i = last;
    }
}

size_t longest_run(const struct block *b)
{
    size_t longest = 0, end = block_subblocks(b);
    size_t i = next_free_tag(b, header_subblocks(b->chunks));
    while (i < end) {
        size_t run = run_length(b, i);
        longest = max_size(longest, run);
        i = next_free_tag(b, i + run);
    }
    return longest;
}

/* A tag for an object at [i, i + n) that its neighbours do not have. */
static uint8_t pick_tag(const struct block *b, size_t i, size_t n)
{
    uint8_t left = b->tag[i - 1]; /* the header is always to the left */
    uint8_t right = i + n < block_subblocks(b) ? b->tag[i + n] : TAG_FREE;
    uint8_t tag = TAG_FIRST;
    while (tag == left || tag == right)
        tag++;
    return tag;
}

static void *take_run(struct block *b, size_t i, size_t n)
{
    if (heap.spare == b)
        heap.spare = NULL;
    memset(b->tag + i, pick_tag(b, i, n), n);
    b->free -= n;
    heap.live += n;
    heap.objects++;
    set_longest(b, min_size(b->longest, b->free));
    return subblock_at(b, i);
}

static void free_run(struct block *b, size_t i, size_t n)
{
    memset(b->tag + i, TAG_FREE, n);
    b->free += n;
    heap.live -= n;
    while (b->tag[i - 1] == TAG_FREE)
        i--;
    set_longest(b, max_size(b->longest, run_length(b, i)));
}

/* An empty block of the usual size becomes the spare one; the rest go back. */
static void settle_empty(struct block *b)
{
    if (b->free < block_subblocks(b) - header_subblocks(b->chunks))
        return;
    if (!heap.spare && b->chunks <= GROW_CHUNKS)
        heap.spare = b;
    else if (heap.spare != b)
        release_block(b);
}

/* --- allocating --- */

static void *take_from_bin(struct list *bin, size_t n, size_t align)
{
    for (struct list *node = bin->next, *next; node != bin; node = next) {
        struct block *b = container_of(node, struct block, in_bin);
        next = node->next;
        if (b->longest < n)
            continue;
        size_t i = find_run(b, n, align);
        if (i != NO_RUN)
            return take_run(b, i, n);
        set_longest(b, longest_run(b));
    }
    return NULL;
}

static void *alloc_run(size_t n, size_t align)
{
    for (unsigned k = bin_of(n); k < ARRAY_SIZE(heap.bin); k++) {
        void *p = take_from_bin(&heap.bin[k], n, align);
        if (p)
            return p;
    }
    struct block *b = grow(n, align);
    return b ? take_run(b, find_run(b, n, align), n) : NULL;
}

/* In subblocks. Powers of two up to a page are aligned to their size. */
static size_t align_for(size_t size)
{
    return is_power_of_two(size) && size > SUBBLOCK && size <= CHUNK
               ? size / SUBBLOCK
               : 1;
}

void *heap_alloc(size_t size, gfp_t flags, vaddr_t caller)
{
    void *p = NULL;
    if (size <= SIZE_LIMIT) {
        lock_acquire(&heap.lock);
        p = alloc_run(subblocks_for(size), align_for(size));
        lock_release(&heap.lock);
    }
    if (!p && !(flags & __GFP_NOWARN))
        report(caller, "kmalloc: no memory for %zu bytes", size);
    if (p && (flags & __GFP_ZERO))
        memset(p, 0, size);
    return p;
}

/* --- freeing --- */

struct object {
    struct block *block;
    size_t first, n;     /* its subblocks */
    const char *refused; /* or why p is not one */
};

static struct object find_object(const void *p)
{
    paddr_t start = pmm_run_start(virt_to_phys(p));
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

void heap_free(const void *p, vaddr_t caller, bool wipe)
{
    if (!p)
        return;
    lock_acquire(&heap.lock);
    struct object o = find_object(p);
    if (!o.refused) {
        if (wipe)
            memset(subblock_at(o.block, o.first), 0, o.n * SUBBLOCK);
        free_run(o.block, o.first, o.n);
        heap.objects--;
        settle_empty(o.block);
    }
    lock_release(&heap.lock);
    if (o.refused)
        report(caller, "kfree of %p refused: %s", p, o.refused);
}

/* --- resizing --- */

/* Grows or shrinks an object where it is, to n > 0 subblocks; false if another
 * object is in the way. */
static bool resize_here(struct object *o, size_t n)
{
    struct block *b = o->block;
    size_t end = o->first + o->n;
    if (n == o->n)
        return true;
    if (n < o->n) {
        free_run(b, o->first + n, o->n - n);
        return true;
    }
    size_t more = n - o->n;
    size_t room = end < block_subblocks(b) && b->tag[end] == TAG_FREE
                      ? run_length(b, end)
                      : 0;
    if (room < more)
        return false;
    memset(b->tag + o->first, pick_tag(b, o->first, n), n);
    b->free -= more;
    heap.live += more;
    set_longest(b, min_size(b->longest, b->free));
    return true;
}

struct resized heap_resize(void *p, size_t size)
{
    lock_acquire(&heap.lock);
    struct object o = find_object(p);
    bool done = !o.refused && size <= SIZE_LIMIT &&
                is_aligned(o.first, align_for(size)) &&
                resize_here(&o, subblocks_for(size));
    lock_release(&heap.lock);
    return (struct resized){done, o.n * SUBBLOCK, o.refused};
}

size_t ksize(const void *p)
{
    lock_acquire(&heap.lock);
    struct object o = find_object(p);
    lock_release(&heap.lock);
    return o.n * SUBBLOCK;
}

void kheap_trim(void)
{
    lock_acquire(&heap.lock);
    if (heap.spare)
        release_block(heap.spare);
    lock_release(&heap.lock);
}
