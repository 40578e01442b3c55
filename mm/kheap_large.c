#include "mm/kheap_large.h"

#include <oct/assert.h>

/* Labelled FRAME_HEAP. */
struct large_run {
    struct large_run *next; /* in its bucket */
    paddr_t pa;
    size_t frames;
};

bool large_init(struct large *l, struct slabs *set)
{
    l->frames = set->frames;
    l->descriptors =
        slabs_create(set, "kmalloc-run", sizeof(struct large_run), 0, 0, NULL);
    return l->descriptors != NULL;
}

/* --- taking --- */

static size_t frames_for(size_t size)
{
    return size ? (size + PAGE_SIZE - 1) / PAGE_SIZE : 1;
}

/* Where the pointer to the run that begins at pa is, or would be. */
static struct large_run **find_run(struct large *l, paddr_t pa)
{
    size_t hash = (size_t)(pa / PAGE_SIZE * 0x9e3779b1u >> 16) % LARGE_BUCKETS;
    struct large_run **r = &l->bucket[hash];
    assert(lock_held(&l->lock));
    while (*r && (*r)->pa != pa)
        r = &(*r)->next;
    return r;
}

static void add_run(struct large *l, struct large_run *r)
{
    lock_acquire(&l->lock);
    struct large_run **bucket = find_run(l, r->pa);
    r->next = *bucket;
    *bucket = r;
    l->objects++;
    l->taken += r->frames;
    lock_release(&l->lock);
}

static paddr_t take_run(struct frames *frames, size_t n, size_t align,
                        gfp_t flags)
{
    return frames_alloc_gfp(frames, n, align, frames->direct_end,
                            flags & ~__GFP_HIGH);
}

/* The first frame from pa on whose memory is seen at such a multiple. */
static paddr_t align_view(const struct frames *frames, paddr_t pa, size_t align)
{
    uintptr_t seen = (uintptr_t)frames_view(frames, pa);
    return pa + (-seen & (align - 1));
}

/* Where the memory is seen is what must be aligned. If that does not follow
 * from the address of its frames, a run is looked for that is longer, and only
 * the part of it taken that is; unless another CPU was quicker, then again. */
static paddr_t take_aligned(struct frames *frames, size_t n, size_t align,
                            gfp_t flags)
{
    if (is_aligned(frames->offset, align))
        return take_run(frames, n, align, flags);
    size_t longer = n + align / PAGE_SIZE - 1;
    for (;;) {
        paddr_t pa = take_run(frames, longer, PAGE_SIZE, flags);
        if (!pa)
            return 0;
        int error = frames_free(frames, pa, longer);
        assert(!error);
        pa = align_view(frames, pa, align);
        if (frames_alloc_at(frames, pa, n) == 0)
            return pa;
    }
}

void *large_alloc(struct large *l, size_t size, size_t align, gfp_t flags)
{
    gfp_t quiet = (flags | __GFP_NOWARN) & ~(__GFP_ZERO | __GFP_DMA);
    size_t n = frames_for(size);
    paddr_t pa = take_aligned(l->frames, n, max_size(align, PAGE_SIZE), flags);
    if (!pa)
        return NULL;
    struct large_run *r = kmem_cache_alloc(l->descriptors, quiet);
    if (!r) {
        int error = frames_free(l->frames, pa, n);
        assert(!error);
        return NULL;
    }
    *r = (struct large_run){.pa = pa, .frames = n};
    frames_label(l->frames, pa, n, FRAME_HEAP);
    add_run(l, r);
    return frames_view(l->frames, pa);
}

/* --- giving --- */

static void release_frames(struct large *l, const struct large_run *r)
{
    int error = frames_free(l->frames, r->pa, r->frames);
    assert(!error);
}

bool large_free(struct large *l, const void *p)
{
    lock_acquire(&l->lock);
    struct large_run **at = find_run(l, frames_address(l->frames, p)), *r = *at;
    if (r) {
        *at = r->next;
        l->objects--;
        l->taken -= r->frames;
    }
    lock_release(&l->lock);
    if (!r)
        return false;
    release_frames(l, r);
    kmem_cache_free(l->descriptors, r);
    return true;
}

void large_destroy(struct large *l)
{
    for (size_t i = 0; i < LARGE_BUCKETS; i++)
        for (struct large_run *r = l->bucket[i]; r; r = r->next)
            release_frames(l, r);
}

/* --- looking --- */

/* Of the run that begins there; 0: there is none. */
static size_t run_size(struct large *l, paddr_t pa)
{
    lock_acquire(&l->lock);
    struct large_run *r = *find_run(l, pa);
    size_t size = r ? r->frames * PAGE_SIZE : 0;
    lock_release(&l->lock);
    return size;
}

struct heap_object large_find(struct large *l, const void *p)
{
    paddr_t pa = frames_address(l->frames, p);
    size_t size = run_size(l, pa);
    if (size > 0)
        return (struct heap_object){size, NULL};
    paddr_t start = frames_run_start(l->frames, pa, FRAME_HEAP);
    return (struct heap_object){
        0, run_size(l, start) > 0 ? "inside an object" : "not from this heap"};
}

void large_each(struct large *l,
                void (*visit)(void *context, void *p, size_t size),
                void *context)
{
    for (size_t i = 0; i < LARGE_BUCKETS; i++)
        for (struct large_run *r = l->bucket[i]; r; r = r->next)
            visit(context, frames_view(l->frames, r->pa),
                  r->frames * PAGE_SIZE);
}

static bool is_labelled(struct large *l, const struct large_run *r)
{
    for (size_t i = 0; i < r->frames; i++)
        if (frames_run_start(l->frames, r->pa + i * PAGE_SIZE, FRAME_HEAP) !=
            r->pa)
            return false;
    return true;
}

static const char *check_runs(struct large *l)
{
    size_t objects = 0, frames = 0;
    for (size_t i = 0; i < LARGE_BUCKETS; i++)
        for (struct large_run *r = l->bucket[i]; r; r = r->next) {
            if (!is_labelled(l, r))
                return "kheap: a large object's frames are not known to be its";
            objects++;
            frames += r->frames;
        }
    return objects == l->objects && frames == l->taken
               ? NULL
               : "kheap: the count of large objects is wrong";
}

const char *large_check(struct large *l)
{
    lock_acquire(&l->lock);
    const char *wrong = check_runs(l);
    lock_release(&l->lock);
    return wrong;
}
